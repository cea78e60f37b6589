import { get, post } from "./client";
import type { Name } from "./vocab";

export interface RiskWords {
  groups: { key: string; name: Name; classes: string[] }[];
  horizons: { key: string; name: Name; days: number }[];
  colours: { key: string; name: Name; color: string; ratio: number; expected: number }[];
  levels: string[];
  ramp: string[];
  patrols_outside: number;
  export_days: number;
  /** Levels that files list; finer ones stay inside. */
  export_levels: string[];
}

/** A code with its parameters; the catalogue makes a sentence of it. */
export interface Coded {
  code: string;
  params: Record<string, unknown>;
}

export interface RiskRun {
  id: string;
  area_id: number;
  area_code: string;
  area_name: string;
  horizon: string;
  origin_on: string;
  horizon_days: number;
  looks_back: boolean;
  made_at: string;
  seconds: number;
  author: string;
  purpose: string;
  params: Record<string, unknown>;
  snapshot: { rows: number; newest_recorded_at: string | null; digest: string; found_share: number; default_places: { lon: number; lat: number; rows: number; share: number }[]; left_out: Record<string, number> };
  outcome_at: string | null;
  /** Only the lines inside the reader's grants are told; the snapshot is then empty. */
  is_part: boolean;
}

export interface ModelScore {
  log_score: number | null;
  log_error: number | null;
  coverage90: number | null;
  hit: Record<string, number | null>;
  hit_error: Record<string, number | null>;
  pai: Record<string, number | null>;
  pei: Record<string, number | null>;
}

export interface LegendStep {
  from: number;
  to: number | null;
  color: string;
}

export interface RiskSurface {
  run_id: string;
  class_group: string;
  refused: Coded | null;
  bounds: [number, number, number, number] | null;
  legend: LegendStep[] | null;
  model: string | null;
  scores: { origins?: number; events?: number; chosen?: string; best_simple?: string | null; models?: Record<string, ModelScore>; choice?: Record<string, number | null>; refused?: Coded } | null;
  expected: number | null;
  low: number | null;
  high: number | null;
  figures: Partial<{
    days: number[];
    hours: number[];
    hours_rows: number;
    weeks: number[];
    fitted: number;
    found_left_out: number;
    found_share: number;
    outside: number;
    per_day: number;
    long_per_day: number;
    kinds_of_areas: Record<string, { areas: number; km2: number; expected: number; known: number; found_share: number }>;
    area_km2: number;
  }>;
  hotspots: GeoJSON.Feature<GeoJSON.Geometry, { area_share: number; expected_share: number }> | null;
  warnings: Coded[];
  came: number | null;
  came_scores: { hit: Record<string, number>; best: Record<string, number>; log_score: number } | null;
  has_came_picture: boolean;
}

export interface RiskArea {
  area_id: number;
  code: string;
  name: string;
  level: string;
  parent: string | null;
  urban_rural: "urban" | "rural" | null;
  lon: number;
  lat: number;
  bbox: [number, number, number, number];
  expected: number;
  low: number;
  high: number;
  per_km2_week: number;
  rank: number;
  rank_low: number;
  rank_high: number;
  density_rank: number;
  risk_level: string;
  recent: number;
  recent_expected: number;
  trend_ratio: number;
  trend_q: number;
  trend_real: boolean;
  top_hours: number[];
  top_classes: { class_key: string; count: number }[];
  known: number;
  found_share: number;
  hazards: number;
  cameras: number;
  patrol_routes: number;
  reasons: Coded[];
  came: number | null;
  /** Expected incidents of average severity. */
  weighted?: number | null;
  /** What could suffer there, and expected incidents per 1,000 of it; the ratio is over the level's mean rate. */
  exposure?: number | null;
  rate?: number | null;
  rate_ratio?: number | null;
  camera_cover?: number | null;
  route_cover?: number | null;
  walked?: number | null;
  patrol?: "hot" | "outside" | null;
}

export interface RiskJob {
  id: string;
  area_name: string;
  horizon: string;
  origin_on: string;
  status: "waiting" | "running" | "failed";
  asked_at: string;
  attempts: number;
  error: Coded | null;
}

type Outlines = GeoJSON.FeatureCollection<GeoJSON.Geometry, { area_id: number; name: string; risk_level: string; expected: number; rank: number }>;

export const getRiskWords = () => get<RiskWords>("/api/risk/words");
export const listRuns = () => get<{ items: RiskRun[] }>("/api/risk/runs");
export const getSurface = (run: string, group: string) => get<RiskSurface>(`/api/risk/runs/${run}/${group}`);
export const listRiskAreas = (run: string, group: string, level: string) => get<{ items: RiskArea[] }>(`/api/risk/runs/${run}/${group}/areas`, { level });
export const getOutlines = (run: string, group: string, level: string) => get<Outlines>(`/api/risk/runs/${run}/${group}/outlines`, { level });
export const listJobs = () => get<{ items: RiskJob[] }>("/api/risk/jobs");
export const askRuns = (body: { area_id: number; horizons: string[]; purpose: string }) => post<{ waiting: number }>("/api/risk/jobs", body);
export const pictureUrl = (run: string, group: string, which: "forecast" | "came") => `/api/risk/surface/${run}/${group}/${which}.png`;
export const askInspection = (body: { run_id: string; group: string; area_id: number; note: string }) => post<{ id: string }>("/api/risk/inspections", body);

/** A rule of early warning in one county, and how it would have done over the past. */
export interface WarningRule {
  rule: string;
  name: Name;
  kind: "cluster" | "surge";
  /** A surge cannot ring before the first forecast; nothing is known of a rule that the worker has not looked at. */
  state: "watching" | "waiting_for_run" | "not_started";
  severity: number;
  count: number;
  within_m: number | null;
  days: number | null;
  times: number | null;
  since_hour: number | null;
  area_id: number;
  area_name: string;
  record_days: number;
  record_alarms: number;
  false_alarms: number;
  muted_until: string | null;
}

export interface PlacedArea {
  id: number;
  name: string;
  level: string;
  bbox: [number, number, number, number];
}

/** A warning that rang; `areas` from the one it was told at up to the widest that is the reader's. */
export interface Rung {
  id: string;
  status: "raised" | "acknowledged" | "resolved";
  severity: number;
  raised_at: string;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  params: {
    rule: string;
    name: Name;
    area: string;
    count: number;
    expected: number | null;
    within_m: number | null;
    days: number | null;
    lon: number | null;
    lat: number | null;
    record_days: number;
    record_alarms: number;
    false_share: number | null;
  };
  areas: PlacedArea[];
  task_id: string | null;
  task_status: string | null;
}

export interface Mute {
  id: string;
  rule: string;
  area_id: number;
  area_name: string;
  until: string;
  reason: string;
  muted_at: string;
  muted_by: string | null;
  can_end: boolean;
}

export interface Inspection {
  id: string;
  area_id: number | null;
  area_name: string | null;
  status: "open" | "done" | "cancelled";
  note: string;
  reason: { kind?: "risk_list" | "warning"; group?: string; horizon?: string; rule?: string };
  created_at: string;
  asked_by: string;
  finished_at: string | null;
  result: string | null;
  mine: boolean;
}

export const exportUrl = (run: string, group: string, ending: string) => `/api/risk/export/${run}/${group}.${ending}`;
export const listRules = () => get<{ items: WarningRule[] }>("/api/risk/warnings");
export const listRung = () => get<{ items: Rung[] }>("/api/risk/warnings/alarms");
export const listMutes = () => get<{ items: Mute[] }>("/api/risk/mutes");
export const muteRule = (rule: string, body: { area_id: number; hours: number; reason: string }) => post<{ until: string }>(`/api/risk/warnings/${rule}/mute`, body);
export const endMute = (id: string) => post<{ items: Mute[] }>(`/api/risk/mutes/${id}/end`);
export const warningToTask = (alarm: string, note: string) => post<{ id: string }>(`/api/risk/warnings/alarms/${alarm}/task`, { note });
export const listInspections = (all: boolean) => get<{ items: Inspection[] }>("/api/risk/inspections", all ? { all: true } : {});
export const finishInspection = (id: string, result: string) => post<Inspection>(`/api/risk/inspections/${id}/finish`, { result });
export const cancelInspection = (id: string, reason: string) => post<Inspection>(`/api/risk/inspections/${id}/cancel`, { reason });
