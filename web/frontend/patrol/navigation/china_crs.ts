/**
 * WGS84 to the coordinate systems of the Chinese map apps. Source of the rule: the published GCJ-02 series on the
 * Krasovsky 1940 ellipsoid, and Baidu's closed form on top of it; checked against vendors' own points in the test.
 */
import type { LonLat } from "@shared/format/geo";

const AXIS_M = 6_378_245.0;
const ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943_23;
const BAIDU_TURN = (Math.PI * 3000) / 180;

/** The rectangle in which the shift is applied at all; outside it the apps use WGS84 themselves. */
const SHIFTED = { west: 72.004, south: 0.8293, east: 137.8347, north: 55.8271 };

const sinPi = (value: number) => Math.sin(value * Math.PI);

/** The ripple that both axes share, in metres before scaling. */
const ripple = (x: number) => (20 * sinPi(6 * x) + 20 * sinPi(2 * x)) * (2 / 3);

function northShift(x: number, y: number): number {
  const plane = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  return plane + ripple(x) + ((20 * sinPi(y) + 40 * sinPi(y / 3) + 160 * sinPi(y / 12) + 320 * sinPi(y / 30)) * 2) / 3;
}

function eastShift(x: number, y: number): number {
  const plane = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  return plane + ripple(x) + ((20 * sinPi(x) + 40 * sinPi(x / 3) + 150 * sinPi(x / 12) + 300 * sinPi(x / 30)) * 2) / 3;
}

/** Degrees WGS84 to degrees GCJ-02 (Amap, Tencent). */
export function toGcj02({ lon, lat }: LonLat): LonLat {
  if (lon < SHIFTED.west || lon > SHIFTED.east || lat < SHIFTED.south || lat > SHIFTED.north) return { lon, lat };
  const [x, y] = [lon - 105, lat - 35];
  const phi = (lat * Math.PI) / 180;
  const flat = 1 - ECCENTRICITY_SQUARED * Math.sin(phi) ** 2;
  const meridian_m = (AXIS_M * (1 - ECCENTRICITY_SQUARED)) / (flat * Math.sqrt(flat));
  const parallel_m = (AXIS_M / Math.sqrt(flat)) * Math.cos(phi);
  return {
    lon: lon + (eastShift(x, y) / parallel_m) * (180 / Math.PI),
    lat: lat + (northShift(x, y) / meridian_m) * (180 / Math.PI),
  };
}

/** Degrees WGS84 to degrees BD-09 (Baidu). */
export function toBd09(place: LonLat): LonLat {
  const { lon, lat } = toGcj02(place);
  const radius = Math.hypot(lon, lat) + 0.00002 * Math.sin(lat * BAIDU_TURN);
  const angle = Math.atan2(lat, lon) + 0.000003 * Math.cos(lon * BAIDU_TURN);
  return { lon: radius * Math.cos(angle) + 0.0065, lat: radius * Math.sin(angle) + 0.006 };
}
