import { expect, test } from "vitest";
import { newsAmong, waitsForASeat } from "./urgent_rules";

const critical = { severity: 1, status: "open", handler: null };

test("a report is news though the plan that it started is told with it", () => {
  expect(newsAmong(["reported", "plan_started", "callout_opened"])).toEqual(["reported"]);
  expect(newsAmong(["callout_opened", "note_added"])).toEqual([]);
});

test("a critical case waits for a seat though its plan sent people, until a seat has it", () => {
  expect(waitsForASeat({ ...critical, status: "assigned" })).toBe(true);
  expect(waitsForASeat({ ...critical, handler: { id: "1", name: "陈值班长" } })).toBe(false);
  expect(waitsForASeat({ ...critical, status: "closed" })).toBe(false);
  expect(waitsForASeat({ ...critical, severity: 2 })).toBe(false);
});
