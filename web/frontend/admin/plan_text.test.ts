import { describe, expect, it } from "vitest";
import { parsePlan } from "./plan_text";

describe("the text of a plan", () => {
  it("is read", () => expect(parsePlan('{"key": "fire"}')).toEqual({ plan: { key: "fire" } }));
  it("tells the line of a slip", () => expect(parsePlan('{\n  "key": "fire",\n  "level": [,]\n}')).toMatchObject({ line: 3 }));
  it("is an object", () => expect(parsePlan("[]")).toMatchObject({ line: 1 }));
});
