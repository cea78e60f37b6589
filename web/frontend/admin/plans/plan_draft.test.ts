import { describe, expect, it } from "vitest";
import { emptyPlan, emptyStep, isSame, keyFrom, moved, toBody, toDraft } from "./plan_draft";

const BODY = {
  key: "noise",
  name: { zh: "噪音处置", en: "Noise" },
  classes: ["S5.02"],
  severities: [1, 2],
  auto: [1],
  tell: ["township"],
  level: [
    { mode: "next_in_line", need: [{ unit_kind: "grid_worker", count: 2 }], fence: "grid", offer_s: 30, deliver_s: 15, level_s: 120, own_grid_first: true },
    { mode: "broadcast", need: [], fence: { minutes: 8, mode: "foot" }, offer_s: 60, deliver_s: 15, level_s: 100, undelivered: "sms" },
  ],
  step: [
    { key: "call_back", name: { zh: "回访", en: "Call back" }, due_min: 10, calendar: "work_hours" },
    { key: "note", name: { zh: "登记", en: "Note it" } },
  ],
};

describe("a plan while it is written", () => {
  it("comes out as it went in", () => expect(toBody(toDraft(BODY))).toEqual(BODY));
  it("is the same whatever was left to the usual", () => {
    const short = { ...BODY, level: [{ mode: "next_in_line", need: [{ count: 1 }] }], step: [] };
    const long = { ...short, level: [{ ...short.level[0], offer_s: 45, deliver_s: 15, level_s: 180, undelivered: "next", flat: false }] };
    expect(isSame(toDraft(short), toDraft(long))).toBe(true);
    expect(isSame(toDraft(short), toDraft(BODY))).toBe(false);
  });
  it("sends an empty figure as nothing, so that the check names it", () => {
    const draft = emptyPlan();
    draft.levels[0]!.offer_s = "";
    expect(toBody(draft).level).toMatchObject([{ offer_s: null }]);
  });
  it("keeps a way to travel only for the ground of a broadcast", () => {
    const draft = toDraft(BODY);
    draft.levels[1]!.mode = "next_in_line";
    expect(toBody(draft).level).toMatchObject([{}, { fence: { minutes: 8 } }]);
    expect(JSON.stringify(toBody(draft))).not.toContain("foot");
  });
  it("survives any form of data", () => expect(toDraft({ level: "x", step: [1], classes: 3, name: null })).toMatchObject({ levels: [], steps: [], classes: [] }));
});

describe("keys and order", () => {
  it("makes a key of an English name", () => {
    expect(keyFrom("Fire and gas!")).toBe("fire_and_gas");
    expect(keyFrom("24 h watch")).toBe("h_watch");
    expect(keyFrom("噪音")).toBe("");
  });
  it("never gives a step the key of another", () => {
    const steps = [{ ...emptyStep([]), key: "step_2" }];
    expect(emptyStep(steps).key).toBe("step_3");
  });
  it("moves a row by one and stays within the list", () => {
    expect(moved(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b"], 0, -1)).toEqual(["a", "b"]);
  });
});
