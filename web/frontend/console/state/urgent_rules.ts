/** When a case calls for a seat at once. */
import type { IncidentSummary } from "@shared/api/incidents";

const NEWS: readonly string[] = ["reported", "reclassified", "reopened"];
/** Units that a plan sent by itself do not take the case off the desk: a seat still has to look. */
const AT_WORK: readonly string[] = ["open", "assigned", "returned"];

type Told = Pick<IncidentSummary, "severity" | "status" | "handler">;

export function waitsForASeat({ severity, status, handler }: Told): boolean {
  return severity === 1 && !handler && AT_WORK.includes(status);
}

/** Of what happened to a case, what a seat must hear of. */
export function newsAmong(kinds: readonly string[]): string[] {
  return kinds.filter((kind) => NEWS.includes(kind));
}
