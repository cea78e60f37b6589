import { describe, expect, it } from "vitest";
import { parsePlan } from "./plan_text";

describe("the text of a plan", () => {
  it("is read", () => expect(parsePlan('{"key": "fire"}')).toEqual({ plan: { key: "fire" } }));
  it("quotes the place of a slip", () => expect(parsePlan('{"key": "fire", "level": [,]}')).toMatchObject({ reason: expect.stringContaining("JSON") }));
  it("is an object", () => expect(parsePlan("[]")).toEqual({ reason: "{ … }" }));
});
