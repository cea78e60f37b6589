import { expect, it } from "vitest";
import { bySeverity, byStatus, toLivePoints } from "./figures";

const counts = [
  { severity: 1, status: "open", n: 2, overdue: 1 },
  { severity: 1, status: "assigned", n: 3, overdue: 0 },
  { severity: 4, status: "open", n: 7, overdue: 2 },
];

it("sums by severity, none left out", () =>
  expect(bySeverity(counts)).toEqual([
    { severity: 1, n: 5, overdue: 1 }, { severity: 2, n: 0, overdue: 0 }, { severity: 3, n: 0, overdue: 0 }, { severity: 4, n: 7, overdue: 2 },
  ]));

it("sums by status", () => expect(byStatus(counts, "open")).toBe(9));

it("keeps points apart that are equal in every field", () => {
  const point = { class_key: "S1.01", severity: 1, status: "open", reported_at: "2026-11-22T08:00:00Z", lon: 113.001, lat: 28.201 };
  const live = toLivePoints([point, point], () => ({}));
  expect(new Set(live.map((one) => one.id)).size).toBe(2);
});
