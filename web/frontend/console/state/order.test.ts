import { describe, expect, it } from "vitest";
import { orderQueue } from "./order";

const row = (id: string, severity: number, due: string | null, more: { status?: string; reported?: string } = {}) => ({
  id, severity, due_at: due && `2026-11-22T${due}:00Z`, status: more.status ?? "open", reported_at: `2026-11-22T${more.reported ?? "08:00"}:00Z`,
});
const ids = (...rows: ReturnType<typeof row>[]) => orderQueue(rows).map((one) => one.id);

describe("the queue", () => {
  it("puts severity before any clock", () => expect(ids(row("late", 2, "08:01"), row("critical", 1, "12:00"))).toEqual(["critical", "late"]));
  it("puts what is due first, first", () => expect(ids(row("b", 2, "10:00"), row("a", 2, "09:00"))).toEqual(["a", "b"]));
  it("takes the waiting time where nothing is due", () => expect(ids(row("b", 2, null, { reported: "08:30" }), row("a", 2, null, { reported: "08:10" }))).toEqual(["a", "b"]));
  it("puts closed cases last", () => expect(ids(row("closed", 1, "08:00", { status: "closed" }), row("low", 4, "12:00"))).toEqual(["low", "closed"]));
  it("does not shuffle equals", () => expect(ids(row("b", 3, "09:00"), row("a", 3, "09:00"))).toEqual(["a", "b"]));
});
