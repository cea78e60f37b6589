import { describe, expect, it } from "vitest";
import { alongLine, isNear, KEPT_MS, surplus, tileOf, tilesAhead } from "./ground_plan";

const SCENE = { lon: 118.9, lat: 33.6 };

describe("which tiles are near", () => {
  it("reads a tile of its address", () => {
    expect(tileOf("pmtiles:///basemap/demo.pmtiles?v=1/14/13603/6569.mvt")).toEqual({ z: 14, x: 13603, y: 6569 });
    expect(tileOf("pmtiles:///basemap/demo.pmtiles?v=1")).toBeNull();
  });
  it("knows the tile of a place as every web map numbers it", () => {
    // https://wiki.openstreetmap.org/wiki/Slippy_map_tilenames: Null Island is the corner of four tiles.
    expect(isNear({ z: 1, x: 1, y: 1 }, [{ lon: 0.1, lat: -0.1 }], 1)).toBe(true);
    expect(isNear({ z: 1, x: 0, y: 0 }, [{ lon: 0.1, lat: -0.1 }], 1)).toBe(false);
    expect(isNear({ z: 10, x: 511, y: 340 }, [{ lon: -0.0014, lat: 51.4779 }], 1)).toBe(true);
  });
  it("keeps the district around the job and no other", () => {
    const ahead = tilesAhead([SCENE], 16, 1000);
    expect(ahead.every((tile) => isNear(tile, [SCENE]))).toBe(true);
    expect(isNear(ahead.at(-1)!, [{ lon: 119.1, lat: 33.6 }])).toBe(false);
    const deepest = ahead.filter(({ z }) => z === 16);
    // A tile of zoom 16 is 509 m wide here: 1,600 m take four or five each way.
    expect(deepest.length).toBeGreaterThanOrEqual(16);
    expect(deepest.length).toBeLessThanOrEqual(25);
  });
  it("asks for no more than it may, the scene's first", () => {
    const far = { lon: 119.5, lat: 33.9 };
    expect(tilesAhead([SCENE, far], 16, 30).every((tile) => isNear(tile, [SCENE]))).toBe(true);
    expect(tilesAhead([SCENE], 12).every(({ z }) => z <= 12)).toBe(true);
  });
  it("thins a way out", () => expect(alongLine([[118.9, 33.6], [118.9001, 33.6], [118.92, 33.6]])).toEqual([SCENE, { lon: 118.92, lat: 33.6 }]));
});

describe("what has to go", () => {
  const now = 1_000_000_000_000;
  const kept = (key: string, age_ms: number, size = 10) => ({ key, at: now - age_ms, size });
  it("lets what is within its bounds stay", () => expect(surplus([kept("a", 1), kept("b", 2)], now)).toEqual([]));
  it("drops what is too old, and what a wrong clock dated", () => expect(surplus([kept("a", KEPT_MS + 1), kept("b", 2), kept("c", -2 * KEPT_MS)], now)).toEqual(["a", "c"]));
  it("drops the oldest where there is too much", () => {
    const list = [kept("old", 30), kept("new", 10), kept("middle", 20)];
    expect(surplus(list, now, { bytes: 20, tiles: 9 })).toEqual(["old"]);
    expect(surplus(list, now, { bytes: 999, tiles: 1 })).toEqual(["middle", "old"]);
  });
});
