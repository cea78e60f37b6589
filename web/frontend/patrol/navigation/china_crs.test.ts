import { describe, expect, it } from "vitest";
import { metresBetween } from "@shared/format/geo";
import { toBd09, toGcj02 } from "./china_crs";

/** Points of the libraries' own tests: the formula must give them to the last digits that count. */
const EXACT = [
  { wgs: [121.5272106, 31.1774276], gcj: [121.531541859215, 31.17530398364597] },
  { wgs: [113.912316, 22.543847], gcj: [113.9171764808363, 22.540796131694766] },
  { wgs: [116.377817, 39.911954], gcj: [116.38404722455657, 39.91334545536069] },
  { wgs: [123, 45], gcj: [123.00607541914162, 45.00197815751666] },
] as const;

/** City centres from the map vendors' own converters: within a metre. */
const VENDORS = [
  { wgs: [120.5811071, 31.3011601], gcj: [120.5852941, 31.298983], bd: [120.5917094, 31.3052382] },
  { wgs: [113.6192856, 34.7478004], gcj: [113.6253334, 34.7466173], bd: [113.6317519, 34.7528605] },
  { wgs: [112.933373, 28.2317248], gcj: [112.938817, 28.2282132], bd: [112.9452895, 28.2344052] },
  { wgs: [112.447775, 34.6206943], gcj: [112.4540462, 34.6196861], bd: [112.4604695, 34.6259364] },
  { wgs: [113.2354538, 35.2164016], gcj: [113.2418262, 35.2158971], bd: [113.2483741, 35.2217573] },
  { wgs: [113.8466127, 34.037173], gcj: [113.8525065, 34.0356293], bd: [113.8589792, 34.0416699] },
] as const;

const at = ([lon, lat]: readonly [number, number]) => ({ lon, lat });

describe("toGcj02", () => {
  it.each(EXACT)("gives $gcj for $wgs", ({ wgs, gcj }) => {
    const found = toGcj02(at(wgs));
    expect(found.lon).toBeCloseTo(gcj[0], 9);
    expect(found.lat).toBeCloseTo(gcj[1], 9);
  });

  it.each(VENDORS)("is within a metre of the vendors at $wgs", ({ wgs, gcj }) => {
    expect(metresBetween(toGcj02(at(wgs)), at(gcj))).toBeLessThan(1);
  });

  it("shifts nothing outside China", () => {
    expect(toGcj02({ lon: -0.12, lat: 51.5 })).toEqual({ lon: -0.12, lat: 51.5 });
  });
});

describe("toBd09", () => {
  it.each(VENDORS)("is within a metre of the vendors at $wgs", ({ wgs, bd }) => {
    expect(metresBetween(toBd09(at(wgs)), at(bd))).toBeLessThan(1);
  });
});
