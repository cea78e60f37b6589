import { describe, expect, it } from "vitest";
import { parsePlan, planText } from "./plan_text";

describe("the text of a plan", () => {
  it("is read", () => expect(parsePlan('{"key": "fire"}')).toEqual({ plan: { key: "fire" } }));
  it("quotes the place of a slip", () => expect(parsePlan('{"key": "fire", "level": [,]}')).toMatchObject({ reason: expect.stringContaining("JSON") }));
  it("is written in one order", () => expect(Object.keys(JSON.parse(planText({ step: [], level: [], name: {}, key: "fire" })))).toEqual(["key", "name", "level", "step"]));
  it("is an object", () => expect(parsePlan("[]")).toEqual({ reason: "{ … }" }));
});
