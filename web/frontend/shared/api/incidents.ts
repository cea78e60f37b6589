import { get, post, type Query } from "./client";
import type { Dispatch } from "./dispatches";
import type { Response } from "./response";

export interface IncidentSummary {
  id: string;
  number: string;
  class_key: string;
  severity: number;
  status: string;
  title: string | null;
  address: string | null;
  lon: number | null;
  lat: number | null;
  located: boolean;
  area_id: number | null;
  area_name: string | null;
  drill: boolean;
  restricted: boolean;
  reported_at: string;
  occurred_at: string | null;
  handler: { id: string; name: string } | null;
  dispatches_open: number;
  due_at: string | null;
  due_kind: string | null;
  outcome: string | null;
  /** The major event it is grouped under. */
  major?: { id: string; name: string | null } | null;
  version: number;
}

export interface IncidentReport {
  id: string;
  channel: string;
  source: string | null;
  source_ref: string | null;
  text: string;
  received_at: string;
  reporter_has_contact: boolean;
}

export interface TimelineEvent {
  id: string;
  /** When it was recorded. */
  at: string;
  /** When it happened, where a phone without a line told it later. */
  occurred_at?: string | null;
  actor: string | { id: string; name: string } | null;
  kind: string;
  params: Record<string, unknown>;
}

/** What happened when, though a phone without a line may have told it later. */
export const happenedAt = (event: TimelineEvent) => event.occurred_at ?? event.at;

export interface IncidentDetail extends IncidentSummary, Partial<Response> {
  reports: IncidentReport[];
  timeline: TimelineEvent[];
  dispatches: Dispatch[];
  duplicate_of: { id: string; number: string | null } | null;
  location: { method: string | null; radius_m: number | null };
  allowed: string[];
}

export type NearbyIncident = IncidentSummary & { distance_m: number; minutes_ago: number };

export interface IncidentPage {
  /** The count is capped: there are at least this many. */
  total_is_least?: boolean;
  /** In a large history words were looked for from then on only. */
  words_since?: string | null;
  items: IncidentSummary[];
  next: string | null;
  total: number;
}

export interface IncidentFilter {
  status?: readonly string[];
  class?: readonly string[];
  severity?: readonly number[];
  area?: number | null;
  from?: string | null;
  to?: string | null;
  q?: string | null;
}

export const listIncidents = (filter: IncidentFilter & { limit?: number; cursor?: string | null }, signal?: AbortSignal) =>
  get<IncidentPage>("/api/incidents", filter as Query, signal);
export const getIncident = (id: string) => get<IncidentDetail>(`/api/incidents/${id}`);
export const listNearby = (at: { lon: number; lat: number; class_key?: string | null; radius_m?: number }, signal?: AbortSignal) =>
  get<{ items: NearbyIncident[] }>("/api/incidents/nearby", at, signal);

/** What a verb on an incident carries; `version` is the one the person looked at. */
export interface VerbBody {
  reason?: string;
  note?: string;
  text?: string;
  outcome?: string;
  take_over?: boolean;
  class_key?: string;
  severity?: number;
  lon?: number;
  lat?: number;
  crs?: "WGS84";
  of?: string;
  version?: number;
}

export type IncidentVerb = "handle" | "reclassify" | "move" | "duplicate" | "void" | "reopen" | "verify" | "return" | "note";

export const actOnIncident = (id: string, verb: IncidentVerb, body: VerbBody) =>
  post<IncidentDetail>(`/api/incidents/${id}/${verb}`, body);
