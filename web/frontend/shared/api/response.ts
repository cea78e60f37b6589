import { get, post } from "./client";
import type { Name } from "./vocab";

export interface PlaceNeed {
  key: string;
  capability: string | null;
  unit_kind: string | null;
  count: number;
  taken: number;
}

export interface Callout {
  id: string;
  incident_id: string;
  plan_key: string | null;
  plan_version: number | null;
  level: number;
  mode: "named" | "next_in_line" | "broadcast";
  status: "open" | "met" | "unmet" | "stopped";
  need: PlaceNeed[];
  places: number;
  places_left: number;
  fence: { kind: string; value: number | null } | null;
  opened_at: string;
  expires_at: string;
  ended_at: string | null;
  end_reason: string | null;
  next_id: string | null;
  nobody_since: string | null;
  drill: boolean;
}

export interface PlanRun {
  id: string;
  plan_key: string;
  plan_version: number;
  how: string;
  started_at: string;
  ended_at: string | null;
}

export interface PlanTask {
  id: string;
  kind: string;
  status: "open" | "paused" | "done" | "cancelled";
  name: Name | null;
  step: string | null;
  plan_key: string | null;
  due_at: string | null;
  has_clock: boolean;
  /** While its clock stands: from then on waiting is an alarm. */
  pause_ends_at: string | null;
  created_at: string;
  finished_at: string | null;
  history: Record<string, unknown>[];
}

export interface HandOver {
  id: string;
  incident_id: string;
  agency: string;
  direction: "out" | "in";
  status: "sent" | "acknowledged" | "returned";
  their_number: string | null;
  note: string | null;
  handed_at: string;
  acknowledge_by: string | null;
  acknowledged_at: string | null;
  returned_at: string | null;
  return_reason: string | null;
}

/** What stands in an incident's detail beside its dispatches. */
export interface Response {
  callouts: Callout[];
  plan: PlanRun[];
  tasks: PlanTask[];
  hand_overs: HandOver[];
}

export interface Plan {
  key: string;
  version: number;
  name: Name;
  classes: string[];
  severities: number[];
  auto: number[];
  tell: string[];
  levels: {
    mode: Callout["mode"];
    need: Pick<PlaceNeed, "capability" | "unit_kind" | "count">[];
    fence?: { kind: string; value: number | null; mode: string | null } | null;
    offer_s?: number;
    level_s?: number;
    flat?: boolean;
    mutual_aid?: boolean;
    own_grid_first?: boolean;
    ask_again?: boolean;
  }[];
  steps: { key: string; name: Name; due_min: number | null; calendar: string }[];
  retired: boolean;
}

/** Somebody who would be asked now; a broadcast tells no time. */
export interface Asked {
  unit_id: string;
  call_sign: string;
  place: string;
  seconds: number | null;
  distance_m: number | null;
  method: string | null;
}

export interface PlanPreview {
  match: Plan | null;
  running: PlanRun[];
  who: Asked[];
  wanted: number;
}

export interface NewCallout {
  mode: Callout["mode"];
  need?: { count: number; capability?: string; unit_kind?: string }[];
  unit_ids?: string[];
  fence?: { kind: string; value?: number };
  offer_s?: number;
  level_s?: number;
  flat?: boolean;
  mutual_aid?: boolean;
  own_grid_first?: boolean;
  override_reason?: string;
}

export const listPlans = () => get<{ items: Plan[] }>("/api/plans");
export const getPlan = (incidentId: string) => get<PlanPreview>(`/api/incidents/${incidentId}/plan`);
export const startPlan = (incidentId: string, plan_key?: string) => post<Response>(`/api/incidents/${incidentId}/plan/start`, plan_key ? { plan_key } : {});
export const endPlan = (incidentId: string, plan_key: string, reason: string) => post<Response>(`/api/incidents/${incidentId}/plan/end`, { plan_key, reason });
export const openCallout = (incidentId: string, body: NewCallout) => post<Callout>(`/api/incidents/${incidentId}/callouts`, body);
/** Whom it would ask at once; nobody is asked. */
export const previewCallout = (incidentId: string, body: NewCallout) => post<{ who: Asked[]; wanted: number }>(`/api/incidents/${incidentId}/callouts/preview`, body);
export const stopCallout = (id: string, reason: string) => post<Callout>(`/api/callouts/${id}/stop`, { reason });
export const finishTask = (id: string, note?: string) => post<PlanTask>(`/api/tasks/${id}/finish`, note ? { note } : {});
export const pauseTask = (id: string, reason: string, note?: string) => post<PlanTask>(`/api/tasks/${id}/pause`, { reason, ...(note ? { note } : {}) });
export const resumeTask = (id: string) => post<PlanTask>(`/api/tasks/${id}/resume`);
export const cancelTask = (id: string, reason: string) => post<PlanTask>(`/api/tasks/${id}/cancel`, { reason });
export const handOver = (incidentId: string, body: { agency: string; direction?: "out" | "in"; their_number?: string; note?: string }) =>
  post<HandOver>(`/api/incidents/${incidentId}/hand-overs`, body);
export const acknowledgeHandOver = (id: string, their_number: string) => post<HandOver>(`/api/hand-overs/${id}/acknowledge`, { their_number });
export const returnHandOver = (id: string, reason: string) => post<HandOver>(`/api/hand-overs/${id}/return`, { reason });
