import { get } from "./client";

export interface Name {
  zh: string;
  en: string;
}

export interface Term {
  key: string;
  name: Name;
}

export interface IncidentClass extends Term {
  parent: string | null;
  severity: number | null;
  icon: string | null;
  pinyin?: string | null;
  photo_required: boolean;
  restricted: boolean;
  risk_allowed: boolean;
}

export interface SeverityTerm extends Term {
  color?: string;
}

export interface Vocab {
  /** The numbering that the class keys belong to. */
  scheme?: string;
  classes: IncidentClass[];
  severities: SeverityTerm[];
  incident_statuses: Term[];
  dispatch_statuses: Term[];
  outcomes: Term[];
  channels: Term[];
  levels: Term[];
  roles: Term[];
  unit_kinds: Term[];
  modes: Term[];
  capabilities: Term[];
  event_kinds: Term[];
  decline_reasons: Term[];
  unit_statuses?: Term[];
  camera_statuses?: Term[];
  alarm_kinds?: Term[];
  location_methods?: Term[];
  results?: Term[];
  closure_reasons?: Term[];
  end_reasons?: Term[];
  blocked_reasons?: Term[];
  callout_modes?: Term[];
  callout_statuses?: Term[];
  agencies?: Term[];
  call_fences?: Term[];
  divert_rules?: Term[];
  work_calendars?: Term[];
  pause_reasons?: (Term & { words?: boolean })[];
}

export const getVocab = () => get<Vocab>("/api/vocab");
