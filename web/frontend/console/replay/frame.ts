/** Where everybody was at a moment of a replay. Pure. */
import { happenedAt } from "@shared/api/incidents";
import type { LegPoint, Replay } from "@shared/api/replay";

export interface Trail {
  call_sign: string;
  /** The way walked so far. */
  walked: [number, number][];
  /** Between two positions a straight line is assumed; before the first and long after the last nothing is known. */
  here: [number, number] | null;
}

/** A position older than this says nothing about now. */
const KNOWN_FOR_MS = 120_000;

export function placeAt(points: readonly LegPoint[], at_ms: number): Omit<Trail, "call_sign"> {
  const next = points.findIndex((point) => Date.parse(point.at) > at_ms);
  const past = next < 0 ? points : points.slice(0, next);
  const walked = past.map((point): [number, number] => [point.lon, point.lat]);
  const last = past.at(-1);
  if (!last) return { walked, here: null };
  const following = next < 0 ? undefined : points[next];
  const last_ms = Date.parse(last.at);
  if (!following) return { walked, here: at_ms - last_ms <= KNOWN_FOR_MS ? [last.lon, last.lat] : null };
  const share = (at_ms - last_ms) / (Date.parse(following.at) - last_ms);
  const here: [number, number] = [last.lon + (following.lon - last.lon) * share, last.lat + (following.lat - last.lat) * share];
  return { walked: [...walked, here], here };
}

export const trailsAt = (replay: Replay, at_ms: number): Trail[] =>
  replay.legs.map((leg) => ({ call_sign: leg.dispatch.unit.call_sign, ...placeAt(leg.points, at_ms) }));

export const shapesAt = (replay: Replay, at_ms: number) =>
  replay.shapes.filter((shape) => Date.parse(shape.since) <= at_ms && (shape.until === null || Date.parse(shape.until) > at_ms));

/** The last thing that had happened by then. */
export function eventAt(replay: Replay, at_ms: number) {
  const timed = replay.events.map((event) => ({ event, at_ms: Date.parse(happenedAt(event)) }));
  return timed.filter((one) => one.at_ms <= at_ms).sort((a, b) => a.at_ms - b.at_ms).at(-1)?.event;
}
