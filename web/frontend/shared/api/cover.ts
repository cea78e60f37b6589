import { get } from "./client";
import type { Name } from "./vocab";

export interface CoverLine {
  area_id: number;
  area_code: string;
  area_name: string;
  requirement: string;
  name: Name;
  /** The kinds of unit that count. */
  kind: string[];
  capability: string | null;
  minutes: number;
  asked_share: number;
  share: number;
  free_units: number;
  gap: boolean;
  gap_since: string | null;
  alarmed_at: string | null;
  move_up: { unit_id: string | null; call_sign: string | null; seconds: number | null; lon: number | null; lat: number | null; why: string | null } | null;
}

export interface Cover {
  items: CoverLine[];
  judgement: { judged_at: string; units: number; rough_units: number } | null;
}

export const listCover = () => get<Cover>("/api/cover");
export const getRings = (around: { unit?: string; area?: number; mode?: string }) => get<GeoJSON.FeatureCollection<GeoJSON.Geometry, { minutes: number; mode: string; direction: "out" | "in" }>>("/api/cover/rings", around);
