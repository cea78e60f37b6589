/** Sums over what the wall is told. Pure, so that it can be tested. */
import type { Wall, WallPoint } from "@shared/api/wall";
import type { LivePoint } from "@shared/map/live_source";

export interface SeverityFigure {
  severity: number;
  n: number;
  overdue: number;
}

export function bySeverity(counts: Wall["counts"]): SeverityFigure[] {
  return [1, 2, 3, 4].map((severity) => {
    const rows = counts.filter((row) => row.severity === severity);
    return { severity, n: rows.reduce((sum, row) => sum + row.n, 0), overdue: rows.reduce((sum, row) => sum + row.overdue, 0) };
  });
}

export function byStatus(counts: Wall["counts"], status: string): number {
  return counts.reduce((sum, row) => (row.status === status ? sum + row.n : sum), 0);
}

/** Points have no id of their own: what is equal in every field is told apart by its place in the row. */
export function toLivePoints(points: readonly WallPoint[], look: (point: WallPoint) => LivePoint["props"]): LivePoint[] {
  const seen = new Map<string, number>();
  return points.map((point) => {
    const key = `${point.lon},${point.lat},${point.class_key},${point.severity},${point.reported_at}`;
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return { id: `${key},${nth}`, lon: point.lon, lat: point.lat, props: look(point) };
  });
}
