import { expect, it } from "vitest";
import { tallyOf } from "./tally";

const base = { status: "offered", delivered_at: null, seen_at: null, accepted_at: null, end_reason: null, callout_id: "c" };
const at = "2026-11-22T08:00:00Z";

it("counts what was sent, delivered and seen apart, and only of its own call-out", () =>
  expect(
    tallyOf(
      [
        base,
        { ...base, delivered_at: at },
        { ...base, delivered_at: at, seen_at: at, status: "declined" },
        { ...base, delivered_at: at, seen_at: at, accepted_at: at, status: "accepted" },
        { ...base, status: "cancelled", end_reason: "undelivered" },
        { ...base, callout_id: "other" },
      ],
      "c",
    ),
  ).toEqual({ sent: 5, delivered: 3, seen: 2, accepted: 1, declined: 1, unreached: 1 }));
