/** The order of the queue: severity first, then the running clock; pure, so that it can be tested. */
import type { IncidentSummary } from "@shared/api/incidents";

type Sortable = Pick<IncidentSummary, "severity" | "due_at" | "reported_at" | "status" | "id">;

const isClosed = (item: Sortable) => (item.status === "closed" ? 1 : 0);
/** What is due first comes first; without a due time the longest waiting. Both are instants. */
const clockOf = (item: Sortable) => Date.parse(item.due_at ?? item.reported_at);

export function compareIncidents(a: Sortable, b: Sortable): number {
  return isClosed(a) - isClosed(b) || a.severity - b.severity || clockOf(a) - clockOf(b) || (a.id < b.id ? -1 : 1);
}

export function orderQueue<T extends Sortable>(items: Iterable<T>): T[] {
  return [...items].sort(compareIncidents);
}
