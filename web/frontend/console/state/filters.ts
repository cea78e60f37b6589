/** What the operator wants to see; kept in the address, so that a view can be sent as a link. */
import { computed, reactive, watch } from "vue";
import type { IncidentFilter } from "@shared/api/incidents";

export const ACTIVE_STATUSES = ["open", "assigned", "awaiting_verification", "returned"] as const;
/** Hours back; 0 means any time. */
export const SPANS_H = [0, 1, 8, 24, 168] as const;

export interface Filters {
  status: string[];
  classes: string[];
  severity: number[];
  area: number | null;
  span_h: number;
}

function list(search: URLSearchParams, name: string): string[] {
  return (search.get(name) ?? "").split(",").filter(Boolean);
}

export function readFilters(text: string): Filters {
  const search = new URLSearchParams(text);
  const area = Number(search.get("area"));
  return {
    status: list(search, "status"),
    classes: list(search, "class"),
    severity: list(search, "severity").map(Number),
    area: Number.isInteger(area) && area > 0 ? area : null,
    span_h: Number(search.get("hours")) || 0,
  };
}

export function writeFilters(filters: Filters, search: URLSearchParams): void {
  const put = (name: string, value: string) => (value ? search.set(name, value) : search.delete(name));
  put("status", filters.status.join(","));
  put("class", filters.classes.join(","));
  put("severity", filters.severity.join(","));
  put("area", filters.area ? String(filters.area) : "");
  put("hours", filters.span_h ? String(filters.span_h) : "");
}

export const filters = reactive<Filters>(readFilters(location.search));

export const filterCount = computed(
  () => filters.status.length + filters.classes.length + filters.severity.length + (filters.area ? 1 : 0) + (filters.span_h ? 1 : 0),
);

export function clearFilters(): void {
  Object.assign(filters, { status: [], classes: [], severity: [], area: null, span_h: 0 });
}

export function toQuery(from: Filters, nowMs: number): IncidentFilter {
  return {
    status: from.status.length ? from.status : ACTIVE_STATUSES,
    class: from.classes,
    severity: from.severity,
    area: from.area,
    from: from.span_h ? new Date(nowMs - from.span_h * 3_600_000).toISOString() : null,
  };
}

/** Whether something that just changed belongs into the view; `path` is its area path ("1.14.201"). */
export function matches(
  from: Filters,
  item: { status: string; class_key: string; severity: number; reported_at: string },
  path: string | null,
  nowMs: number,
): boolean {
  const statuses: readonly string[] = from.status.length ? from.status : ACTIVE_STATUSES;
  if (!statuses.includes(item.status)) return false;
  if (from.severity.length && !from.severity.includes(item.severity)) return false;
  if (from.classes.length && !from.classes.some((key) => item.class_key === key || item.class_key.startsWith(`${key}.`))) return false;
  if (from.area && path !== null && !path.split(".").includes(String(from.area))) return false;
  return !from.span_h || Date.parse(item.reported_at) >= nowMs - from.span_h * 3_600_000;
}

watch(filters, () => {
  const url = new URL(location.href);
  writeFilters(filters, url.searchParams);
  history.replaceState(null, "", url);
});
