/** The corners of a line or polygon that is being drawn, with undo and redo. Pure, so that it can be tested. */
export type Corner = readonly [lon: number, lat: number];
export type SketchKind = "line" | "polygon";

export interface SketchPath {
  readonly corners: readonly Corner[];
  readonly past: readonly (readonly Corner[])[];
  readonly future: readonly (readonly Corner[])[];
}

export const emptyPath: SketchPath = { corners: [], past: [], future: [] };

/** Area coordinates are multiples of 1e-9 degree everywhere; a hand on a screen is coarser than 1e-7 (1 cm). */
const round = (value: number) => Math.round(value * 1e7) / 1e7;

function change(path: SketchPath, corners: readonly Corner[]): SketchPath {
  return { corners, past: [...path.past, path.corners], future: [] };
}

export const addCorner = (path: SketchPath, [lon, lat]: Corner): SketchPath => change(path, [...path.corners, [round(lon), round(lat)]]);

export function moveCorner(path: SketchPath, index: number, [lon, lat]: Corner): SketchPath {
  return change(path, path.corners.map((corner, at) => (at === index ? [round(lon), round(lat)] : corner)));
}

export function undo(path: SketchPath): SketchPath {
  const before = path.past.at(-1);
  return before ? { corners: before, past: path.past.slice(0, -1), future: [path.corners, ...path.future] } : path;
}

export function redo(path: SketchPath): SketchPath {
  const [next, ...later] = path.future;
  return next ? { corners: next, past: [...path.past, path.corners], future: later } : path;
}

function crosses(a: Corner, b: Corner, c: Corner, d: Corner): boolean {
  const side = (p: Corner, q: Corner, r: Corner) => Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
}

/** True when the closed ring crosses itself; corners that touch count as fine here, the server decides. */
export function crossesItself(corners: readonly Corner[]): boolean {
  const n = corners.length;
  for (let i = 0; i < n; i++) {
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue;
      if (crosses(corners[i]!, corners[(i + 1) % n]!, corners[j]!, corners[(j + 1) % n]!)) return true;
    }
  }
  return false;
}

export type SketchFault = "too_few" | "crosses_itself";

export function faultOf(kind: SketchKind, corners: readonly Corner[]): SketchFault | null {
  if (corners.length < (kind === "line" ? 2 : 3)) return "too_few";
  return kind === "polygon" && crossesItself(corners) ? "crosses_itself" : null;
}

export function toGeometry(kind: SketchKind, corners: readonly Corner[]): GeoJSON.LineString | GeoJSON.Polygon {
  const line = corners.map(([lon, lat]) => [lon, lat]);
  return kind === "line" ? { type: "LineString", coordinates: line } : { type: "Polygon", coordinates: [[...line, line[0]!]] };
}
