import { describe, expect, it } from "vitest";
import { placeAt } from "./frame";

const T = Date.parse("2026-11-22T08:00:00Z");
const point = (s: number, lon: number) => ({ at: new Date(T + s * 1000).toISOString(), lon, lat: 28, accuracy_m: 8 });
const points = [point(0, 113), point(60, 113.001)];

describe("a replay", () => {
  it("knows nothing before the first position", () => expect(placeAt(points, T - 1000)).toEqual({ walked: [], here: null }));
  it("goes straight between two positions", () => expect(placeAt(points, T + 30_000).here![0]).toBeCloseTo(113.0005, 7));
  it("stays at the last one for a while and no longer", () => {
    expect(placeAt(points, T + 120_000).here).toEqual([113.001, 28]);
    expect(placeAt(points, T + 600_000).here).toBeNull();
    expect(placeAt(points, T + 600_000).walked).toHaveLength(2);
  });
});
