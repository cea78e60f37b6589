import type { Dispatch } from "./dispatches";
import { buildUrl, get } from "./client";
import type { IncidentSummary, TimelineEvent } from "./incidents";

export interface LegPoint {
  at: string;
  lon: number;
  lat: number;
  accuracy_m: number | null;
}

export interface Replay {
  incident: IncidentSummary;
  since: string;
  until: string;
  events: TimelineEvent[];
  legs: { dispatch: Dispatch; mode: string; points: LegPoint[] }[];
  shapes: { id: string; kind: string; label: string; geometry: GeoJSON.Geometry; since: string; until: string | null }[];
}

/** The reason is written down: it shows where people went. */
export const getReplay = (incidentId: string, reason: string) => get<Replay>(`/api/incidents/${incidentId}/replay`, { reason });
export const afterActionUrl = (incidentId: string, reason: string, lang: string) => buildUrl(`/api/incidents/${incidentId}/after-action`, { reason, lang });
