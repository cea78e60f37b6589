// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { matches, readFilters, toQuery, writeFilters } from "./filters";

const NOW = Date.parse("2026-11-22T12:00:00Z");
const incident = { status: "open", class_key: "S1.01", severity: 1, reported_at: "2026-11-22T11:30:00Z" };
const none = readFilters("");

describe("filters", () => {
  it("survive the address", () => {
    const filters = readFilters("?status=open,closed&class=S1&severity=1,2&area=14&hours=8");
    const search = new URLSearchParams();
    writeFilters(filters, search);
    expect(readFilters(`?${search}`)).toEqual(filters);
  });

  it("ignore nonsense in the address", () => expect(readFilters("?area=x&hours=y")).toEqual(none));

  it("ask for what is active unless told otherwise", () => {
    expect(toQuery(none, NOW).status).toEqual(["open", "assigned", "awaiting_verification", "returned"]);
    expect(toQuery(readFilters("?hours=1"), NOW).from).toBe("2026-11-22T11:00:00.000Z");
  });

  it.each([
    ["", "1.14", true],
    ["?status=closed", "1.14", false],
    ["?class=S1", "1.14", true],
    ["?class=S", "1.14", false],
    ["?class=S1.01", "1.14", true],
    ["?severity=2", "1.14", false],
    ["?area=14", "1.14.201", true],
    ["?area=4", "1.14.201", false],
    ["?hours=1", "1", true],
  ])("%s on %s: %s", (search, path, expected) => expect(matches(readFilters(search), incident, path, NOW)).toBe(expected));

  it("never keep a closed case among the active", () => expect(matches(none, { ...incident, status: "closed" }, null, NOW)).toBe(false));
});
