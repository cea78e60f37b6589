/** Which tiles of the base map a phone keeps for when there is no line: those around the job, few, and not for long. Pure. */
export interface Place {
  lon: number;
  lat: number;
}

export interface Tile {
  z: number;
  x: number;
  y: number;
}

/** What is kept: under which key, since when (ms), how large (bytes). */
export interface Kept {
  key: string;
  at: number;
  size: number;
}

/** Around the scene and along the way to it. */
export const NEAR_M = 800;
export const KEPT_MS = 14 * 3_600_000;
export const MOST_BYTES = 16_000_000;
export const MOST_TILES = 500;
/** Fetched ahead of any look at the map, so that a line that breaks right after the offer leaves a map all the same. */
export const MOST_AHEAD = 160;
const AHEAD_ZOOMS = { first: 9, last: 16 };
const METRES_PER_DEGREE = 111_320;
const TILE_URL = /\/(\d+)\/(\d+)\/(\d+)(?:\.\w+)?$/;

/** The tile of an address that ends in z/x/y; null for any other. */
export function tileOf(url: string): Tile | null {
  const found = TILE_URL.exec(url);
  return found && { z: Number(found[1]), x: Number(found[2]), y: Number(found[3]) };
}

const columnOf = (lon: number, z: number) => Math.floor(((lon + 180) / 360) * 2 ** z);
function rowOf(lat: number, z: number): number {
  const angle = (lat * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2) * 2 ** z);
}

interface Span {
  west: number;
  east: number;
  north: number;
  south: number;
}

function spanAround({ lon, lat }: Place, z: number, near_m: number): Span {
  const up = near_m / METRES_PER_DEGREE;
  const side = up / Math.cos((lat * Math.PI) / 180);
  return { west: columnOf(lon - side, z), east: columnOf(lon + side, z), north: rowOf(lat + up, z), south: rowOf(lat - up, z) };
}

export function isNear({ z, x, y }: Tile, places: readonly Place[], near_m = NEAR_M): boolean {
  return places.some((place) => {
    const { west, east, north, south } = spanAround(place, z, near_m);
    return x >= west && x <= east && y >= north && y <= south;
  });
}

/** The tiles to fetch ahead, the first place's first and of each place the wide ones first. */
export function tilesAhead(places: readonly Place[], maxZoom: number, most = MOST_AHEAD): Tile[] {
  const found = new Map<string, Tile>();
  for (const place of places) {
    for (let z = AHEAD_ZOOMS.first; z <= Math.min(AHEAD_ZOOMS.last, maxZoom); z++) {
      const { west, east, north, south } = spanAround(place, z, NEAR_M);
      for (let x = west; x <= east; x++) for (let y = north; y <= south; y++) found.set(`${z}/${x}/${y}`, { z, x, y });
    }
  }
  return [...found.values()].slice(0, most);
}

/** Points of a line at most `step_m` apart, without its ends' neighbours being left out. */
export function alongLine(line: readonly (readonly number[])[], step_m = NEAR_M): Place[] {
  const found: Place[] = [];
  for (const [lon = 0, lat = 0] of line) {
    const last = found.at(-1);
    const side = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
    if (!last || Math.hypot((lon - last.lon) * side, (lat - last.lat) * METRES_PER_DEGREE) >= step_m) found.push({ lon, lat });
  }
  return found;
}

/** What has to go: what is too old, then the oldest until the rest is within its bounds. */
export function surplus(kept: readonly Kept[], now: number, most = { bytes: MOST_BYTES, tiles: MOST_TILES }): string[] {
  const old = kept.filter(({ at }) => now - at > KEPT_MS || at > now + KEPT_MS);
  const rest = kept.filter((one) => !old.includes(one)).sort((a, b) => b.at - a.at);
  let bytes = 0;
  const over = rest.filter(({ size }, index) => (bytes += size) > most.bytes || index >= most.tiles);
  return [...old, ...over].map(({ key }) => key);
}
