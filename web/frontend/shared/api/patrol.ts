import { get, post } from "./client";
import type { Dispatch } from "./dispatches";
import type { IncidentSummary } from "./incidents";

/** What a unit may know before it accepts: the class and a circle of 300 m, never the address. */
export interface Offer {
  dispatch_id: string;
  class_key: string;
  severity: number;
  area_name: string | null;
  circle: { lon: number; lat: number; radius_m: number };
  seconds_est: number | null;
  offered_at: string;
  expires_at: string;
}

export interface Job extends Dispatch {
  incident: IncidentSummary & { text: string | null };
}

export interface Duty {
  on: boolean;
  on_break?: boolean;
  since: string | null;
  ends_at: string | null;
}

export interface PatrolState {
  server_now: string;
  unit: { id: string; call_sign: string; kind: string; mode: string; status: string };
  duty: Duty;
  offers: Offer[];
  jobs: Job[];
  done_today: Job[];
  last_fix_at: string | null;
}

export type DutyAction = "start" | "stop" | "break" | "resume";

export interface SentFix {
  lon: number;
  lat: number;
  crs: "WGS84";
  fixed_at: string;
  accuracy_m?: number;
  speed_mps?: number;
  heading_deg?: number;
}

export interface FixReceipt {
  accepted: number;
  refused: { index: number; code: string }[];
}

export const getPatrolState = () => get<PatrolState>("/api/patrol/state");
export const setDuty = (action: DutyAction) => post<unknown>("/api/patrol/duty", { action });
export const markSeen = (dispatchIds: string[]) => post<unknown>("/api/patrol/seen", { dispatch_ids: dispatchIds });
export const sendFixes = (fixes: SentFix[]) => post<FixReceipt>("/api/positions", { fixes });

export async function uploadPhoto(photo: Blob, incidentId: string): Promise<{ id: string }> {
  const form = new FormData();
  form.append("file", photo, "photo.jpg");
  form.append("purpose", "result");
  form.append("incident_id", incidentId);
  return post<{ id: string }>("/api/blobs", form);
}
