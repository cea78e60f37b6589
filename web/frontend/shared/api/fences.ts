import { get, post } from "./client";

export type FenceKind = "polygon" | "corridor" | "isochrone";

export interface Fence {
  id: string;
  name: string;
  kind: string;
  purpose: string;
  geometry: GeoJSON.Geometry | null;
  dwell_s: number | null;
  unit_kinds: string[];
  version: number;
  since: string;
  expires_at: string | null;
  archived_at: string | null;
  drill: boolean;
}

export interface NewFence {
  name: string;
  kind: "polygon" | "corridor";
  source: { geometry: GeoJSON.Geometry; crs: "WGS84"; half_width_m?: number };
  dwell_s?: number;
  expires_at?: string;
  calendar?: { hours: [string, string][] };
}

export const listFences = () => get<{ items: Fence[]; is_cut: boolean }>("/api/fences", { purpose: "zone" });
export const getFence = (id: string) => get<Fence>(`/api/fences/${id}`);
export const createFence = (fence: NewFence) => post<Fence>("/api/fences", fence);
export const archiveFence = (id: string, reason: string) => post<void>(`/api/fences/${id}/archive`, { reason });
