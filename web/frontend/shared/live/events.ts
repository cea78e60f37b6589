/** What the live feed tells: ids and codes; a page fetches the rest. */
export interface IncidentEvent {
  id: string;
  number: string;
  severity: number;
  status: string;
  class_key: string;
  path: string | null;
  kind: string;
  /** It left what this account may see; nothing else is told then. */
  gone?: true;
}

export interface DispatchEvent {
  id: string;
  incident_id: string;
  unit_id: string;
  status: string;
}

/** [id, lon, lat, status, fixed_at] */
export type UnitDelta = [string, number, number, string, string];

export interface LiveEvents {
  incident: IncidentEvent;
  dispatch: DispatchEvent;
  units: { items: UnitDelta[] };
  /** On or off duty, on a break. */
  unit: { id: string; status: string };
  alarm: { id: string; kind: string; status?: string; incident_id?: string | null };
  /** A road was closed or opened. */
  closure: { id: string };
  layer_changed: { layer: string; version: number | string };
  resync: Record<string, never>;
}

export type LiveEventName = keyof LiveEvents;
export const LIVE_EVENTS: readonly LiveEventName[] = ["incident", "dispatch", "units", "unit", "alarm", "closure", "layer_changed", "resync"];

export type LiveState = "connecting" | "live" | "reconnecting" | "offline" | "signed_out";

/** What the shared worker and the pages say to each other. */
export type ToPage =
  | { type: "state"; state: LiveState; since: number }
  | { type: "event"; name: LiveEventName; data: unknown };
export type ToWorker = { type: "start"; account: string } | { type: "bye" } | { type: "retry" };
