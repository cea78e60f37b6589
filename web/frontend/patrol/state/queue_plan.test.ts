import { describe, expect, it } from "vitest";
import type { PatrolState } from "@shared/api/patrol";
import { conflictsOf, dutyAfter, nextEntry, nextHoldMs, statusAfter, tickedTasks } from "./queue_plan";
import type { Action, Entry } from "./queue_store";

let id = 0;
const entry = (action: Action, more: Partial<Entry> = {}): Entry => ({
  id: ++id, account: "a", action, madeAt: "2026-05-01T08:00:00Z", attempts: 0, refusal: null, ...more,
});
const step = (dispatchId: string, verb: "accept" | "depart" | "arrive"): Action => ({ kind: "step", dispatchId, verb });
const refusal = { status: 409, code: "offer_expired", params: {} };
const sos: Action = { kind: "sos", place: null };
const report: Action = { kind: "report", report: { channel: "patrol", class_key: "C1.01", text: "x" } };

describe("nextEntry", () => {
  it("keeps the order of a job and lets other jobs pass a refused one", () => {
    const refused = entry(step("d1", "accept"), { refusal });
    const behind = entry(step("d1", "depart"));
    const other = entry(step("d2", "accept"));
    expect(nextEntry([refused, behind, other], "main", 0)).toBe(other);
    expect(nextEntry([{ ...refused, refusal: null }, behind, other], "main", 0)?.id).toBe(refused.id);
  });

  it("sends a cry for help ahead of everything in the main line", () => {
    const slow = entry(step("d1", "accept"));
    const cry = entry(sos);
    expect(nextEntry([slow, cry], "urgent", 0)).toBe(cry);
    expect(nextEntry([slow, cry], "main", 0)).toBe(slow);
  });

  it("does not ask for help on a job before the server knows that it was taken", () => {
    const help = entry({ kind: "help", dispatchId: "d1", verb: "need-help", body: {} });
    expect(nextEntry([entry(step("d1", "accept")), help], "urgent", 0)).toBeUndefined();
    expect(nextEntry([help], "urgent", 0)).toBe(help);
  });

  it("holds what may still be taken back, and only that", () => {
    const held = entry(report, { holdUntil: 5_000 });
    const next = entry(report);
    expect(nextEntry([held, next], "main", 1_000)).toBe(next);
    expect(nextEntry([held], "main", 1_000)).toBeUndefined();
    expect(nextEntry([held], "main", 5_000)).toBe(held);
    expect(nextHoldMs([held, next], 1_000)).toBe(4_000);
    expect(nextHoldMs([next], 1_000)).toBeNull();
  });
});

describe("conflictsOf", () => {
  it("puts what waits behind a refusal into the same question", () => {
    const first = entry(step("d1", "accept"), { refusal });
    const behind = [entry(step("d1", "depart")), entry(step("d1", "arrive"))];
    const other = entry(report, { refusal });
    expect(conflictsOf([first, ...behind, other, entry(step("d2", "accept"))])).toEqual([
      { jobId: "d1", first, behind },
      { jobId: null, first: other, behind: [] },
    ]);
  });
});

describe("statusAfter", () => {
  it("counts what was tapped without a line, for that job alone", () => {
    const waiting = [entry(step("d1", "accept")), entry(step("d1", "depart")), entry(step("d2", "arrive"))];
    expect(statusAfter({ id: "d1", status: "offered" }, waiting)).toBe("en_route");
    expect(statusAfter({ id: "d3", status: "accepted" }, waiting)).toBe("accepted");
  });
});

describe("dutyAfter", () => {
  const state = (on: boolean, status: string) => ({ duty: { on }, unit: { status } }) as unknown as PatrolState;
  const duty = (action: "start" | "stop" | "break" | "resume") => entry({ kind: "duty", action });

  it("is off from the tap on, line or no line", () => {
    expect(dutyAfter(state(true, "free"), [duty("stop")])).toBe("off");
    expect(dutyAfter(state(true, "free"), [duty("break")])).toBe("break");
    expect(dutyAfter(state(false, "off_duty"), [duty("start")])).toBe("on");
    expect(dutyAfter(state(true, "break"), [])).toBe("break");
    expect(dutyAfter(null, [])).toBe("off");
  });
});

describe("tickedTasks", () => {
  it("names the tasks under way", () => {
    expect([...tickedTasks([entry({ kind: "task", dispatchId: "d1", taskId: "t1", name: "x" }), entry(sos)])]).toEqual(["t1"]);
  });
});
