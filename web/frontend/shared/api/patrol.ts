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
  drill?: boolean;
  /** Set when several are asked at once: how many were wanted and how many places are left; the first to accept win. */
  callout?: { id: string; mode: "named" | "broadcast" | "next_in_line"; wanted: number; places_left: number } | null;
}

/** A step of the plan that is this unit's to do. */
export interface JobTask {
  id: string;
  name: { zh: string; en: string };
  status: string;
  due_at: string | null;
}

export interface Job extends Dispatch {
  incident: IncidentSummary & { text: string | null };
  tasks?: JobTask[];
}

/** A job that ended without a result of this unit's: refused, run out, called off. */
export interface EndedJob {
  id: string;
  status: string;
  class_key: string;
  severity: number;
  area_name: string | null;
  ended_at: string;
  /** Why a job under way was called off: recalled, diverted, released. */
  end_reason: string | null;
}

/** What this account reported today. */
export interface OwnReport {
  id: string;
  class_key: string;
  number: string;
  received_at: string;
}

/** A planned span of duty. */
export interface RosterSpan {
  starts_at: string;
  ends_at: string;
  vehicle: string | null;
  partner_name: string | null;
}

/** "Are you all right?", asked when a unit is silent, does not move, or is alone on a dangerous scene. */
export interface WelfareQuestion {
  id: string;
  kind: string;
  asked_at: string;
  answer_by: string;
}

/** A call for help of this account; it stands until a named seat has taken note of it. */
export interface SosCall {
  id: string;
  called_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  false_alarm_at: string | null;
}

export interface Duty {
  on: boolean;
  on_break?: boolean;
  since: string | null;
  /** When duty ends by itself. */
  ends_at: string | null;
  /** Duty lasts half an hour longer than its span, unless a job is open. */
  roster?: RosterSpan | null;
  next_roster?: RosterSpan | null;
}

export interface PatrolState {
  server_now: string;
  unit: { id: string; call_sign: string; kind: string; mode: string; status: string };
  duty: Duty;
  offers: Offer[];
  jobs: Job[];
  done_today: Job[];
  ended_today?: EndedJob[];
  reports_today?: OwnReport[];
  question?: WelfareQuestion | null;
  sos?: SosCall | null;
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
export const setDuty = (action: DutyAction, reason?: string) => post<unknown>("/api/patrol/duty", { action, ...(reason ? { reason } : {}) });
export const markSeen = (dispatchIds: string[]) => post<unknown>("/api/patrol/seen", { dispatch_ids: dispatchIds });
export const sendFixes = (fixes: SentFix[]) => post<FixReceipt>("/api/positions", { fixes });

function upload(path: string, file: Blob, name: string, incidentId: string, purpose: string): Promise<{ id: string }> {
  const form = new FormData();
  form.append("file", file, name);
  form.append("purpose", purpose);
  form.append("incident_id", incidentId);
  return post<{ id: string }>(path, form);
}

export const uploadPhoto = (photo: Blob, incidentId: string, purpose = "result") =>
  upload("/api/blobs", photo, "photo.jpg", incidentId, purpose);
export const uploadVoice = (voice: Blob, incidentId: string, purpose = "result") =>
  upload("/api/blobs/voice", voice, "voice", incidentId, purpose);

export async function finishTask(taskId: string, tappedAt?: string): Promise<void> {
  await post(`/api/tasks/${taskId}/finish`, {}, tappedAt);
}

export async function askForHelp(dispatchId: string, verb: "need-help" | "cannot-enter", body: Record<string, unknown>, tappedAt?: string): Promise<void> {
  await post(`/api/dispatches/${dispatchId}/${verb}`, body, tappedAt);
}

export async function answerQuestion(questionId: string, answer: "ok" | "help"): Promise<void> {
  await post("/api/patrol/answer", { question_id: questionId, answer });
}

export async function callSos(place: { lon: number; lat: number; accuracy_m: number } | null, tappedAt?: string): Promise<void> {
  await post("/api/patrol/sos", place ?? {}, tappedAt);
}

export async function sayMistake(): Promise<void> {
  await post("/api/patrol/sos/false-alarm");
}

/** An app that speaks for the own unit; `last_used_at` of its keys says when it was last heard. */
export interface OwnDevice {
  id: string;
  label: string;
  kind: string;
  keys: { name: string; last_used_at: string | null }[];
}

/** What is typed into the app, shown once; `text` is what a QR code of it holds. */
export interface NewDevice {
  device_id: string;
  settings: {
    app: string;
    url: string;
    mode: string;
    username: string | null;
    password: string | null;
    identifier: string | null;
    text: string;
  };
}

export const listOwnDevices = () => get<{ items: OwnDevice[] }>("/api/patrol/devices");
export const bindApp = (app: "owntracks" | "osmand") => post<NewDevice>("/api/patrol/devices", { app });
export async function unbindApp(deviceId: string): Promise<void> {
  await post(`/api/patrol/devices/${deviceId}/revoke`);
}
