/** Rough measures for the screen only (a few hundred metres); every decision is measured by the server. */
export interface LonLat {
  lon: number;
  lat: number;
}

const METRES_PER_DEGREE = 111_320;
const cosLat = (lat: number) => Math.cos((lat * Math.PI) / 180);

export function boxAround(at: LonLat, radius_m: number): [number, number, number, number] {
  const dLat = radius_m / METRES_PER_DEGREE;
  const dLon = dLat / cosLat(at.lat);
  return [at.lon - dLon, at.lat - dLat, at.lon + dLon, at.lat + dLat];
}

/** West, south, east, north of a line's positions. */
export function boxOf(positions: readonly (readonly number[])[]): [number, number, number, number] {
  const lons = positions.map((position) => position[0]!);
  const lats = positions.map((position) => position[1]!);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}

export function metresBetween(a: LonLat, b: LonLat): number {
  const dx = (b.lon - a.lon) * METRES_PER_DEGREE * cosLat((a.lat + b.lat) / 2);
  return Math.hypot(dx, (b.lat - a.lat) * METRES_PER_DEGREE);
}

/** Every position of a geometry, however deep it lies. */
export function positionsOf(geometry: GeoJSON.Geometry): number[][] {
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(positionsOf);
  const walk = (part: unknown): number[][] => (Array.isArray(part) && typeof part[0] === "number" ? [part as number[]] : (part as unknown[]).flatMap(walk));
  return walk(geometry.coordinates);
}
