import { get, post } from "./client";

/** What the crew put beside a result that stood already. */
export interface Added {
  at: string;
  note: string | null;
  photos: string[];
  voice: string | null;
}

export interface Dispatch {
  id: string;
  incident_id: string;
  unit: { id: string; call_sign: string };
  status: string;
  offered_at: string;
  expires_at: string | null;
  delivered_at: string | null;
  seen_at: string | null;
  accepted_at: string | null;
  en_route_at: string | null;
  arrival_proposed_at: string | null;
  on_scene_at: string | null;
  done_at: string | null;
  seconds_est: number | null;
  distance_m: number | null;
  method: string | null;
  /** `photo` where the class asks for one and none came with a result by radio: it follows, cannot be taken, or there is none. */
  result: { code: string; note: string | null; photos: string[]; voice?: string; photo?: "follows" | "none" | "impossible"; photo_reason?: string; added?: Added[] } | null;
  decline_reason: string | null;
  /** Why it ended without a result: recalled, diverted, need met, … */
  end_reason?: string | null;
  /** The steps that a seat said for the unit. */
  radio_steps?: string[];
  /** When it will be there, kept fresh on the way. */
  eta_at?: string | null;
  callout_id?: string | null;
  sent_at?: string | null;
  via?: string | null;
}

export interface Reason {
  code: string;
  params: Record<string, unknown>;
}

export interface Candidate {
  unit_id: string;
  call_sign: string;
  kind: string;
  mode: string;
  seconds: number | null;
  distance_m: number | null;
  state: "ok" | "unreachable" | "off_network" | "no_fix";
  fix_age_s: number | null;
  accuracy_m: number | null;
  lon: number | null;
  lat: number | null;
  busy: boolean;
  reasons: Reason[];
}

export interface Recommendation {
  method: "road" | "straight_line";
  computed_ms: number;
  candidates: number;
  items: Candidate[];
  excluded: { code: string; count: number }[];
}

export interface Route {
  geometry: GeoJSON.LineString;
  seconds: number;
  distance_m: number;
  method: "road" | "straight_line";
}

export const recommend = (incidentId: string, limit = 5) =>
  get<Recommendation>(`/api/incidents/${incidentId}/recommendation`, { limit });
export const getRoute = (incidentId: string, unitId: string, signal?: AbortSignal) =>
  get<Route>(`/api/incidents/${incidentId}/route`, { unit: unitId }, signal);
/** `override_reason` sends a unit past the gates; only a shift lead may. */
export const offer = (incidentId: string, unitId: string, more: { override_reason?: string } = {}) =>
  post<Dispatch>(`/api/incidents/${incidentId}/dispatches`, { unit_id: unitId, ...more });

export type DispatchVerb =
  | "accept" | "depart" | "arrive" | "arrive-undo" | "decline" | "done" | "supplement" | "no-photo" | "cancel"
  | "radio" | "recall" | "release" | "divert" | "need-help" | "cannot-enter";
/** `tappedAt`, by this device's clock, where the officer may have done it a while ago without a line. */
export const actOnDispatch = (id: string, verb: DispatchVerb, body: Record<string, unknown> = {}, tappedAt?: string) =>
  post<Dispatch>(`/api/dispatches/${id}/${verb}`, body, tappedAt);
