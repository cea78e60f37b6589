import { describe, expect, it } from "vitest";
import { jobVerbs, requestFor } from "./radio";

describe("a job at the seat", () => {
  it.each([
    ["offered", "done", false], ["offered", "cancel", true], ["accepted", "depart", true], ["on_scene", "depart", false],
    ["on_scene", "release", true], ["en_route", "release", false], ["done", "recall", false],
  ] as const)("%s allows %s: %s", (status, verb, allowed) => expect(jobVerbs(status).includes(verb)).toBe(allowed));

  it("says steps by radio and orders by their own address", () => {
    expect(requestFor("depart")).toEqual({ verb: "radio", body: { step: "depart" } });
    expect(requestFor("done", { code: "solved", note: " ok " })).toEqual({ verb: "radio", body: { step: "done", code: "solved", note: "ok" } });
    expect(requestFor("recall", { reason: "x" })).toEqual({ verb: "recall", body: { reason: "x" } });
    expect(requestFor("divert", { to_incident_id: "i", reason: "x" }).body).toEqual({ to_incident_id: "i", reason: "x", assign: false });
    expect(requestFor("need-help").body).toEqual({});
  });
});
