import { get } from "./client";

export type HitKind = "area" | "place" | "street" | "address" | "building" | "landmark" | "pole" | "camera" | "incident" | "unit";

export interface Hit {
  kind: HitKind;
  id: string | number;
  name: string;
  detail: string | null;
  lon: number | null;
  lat: number | null;
  bbox?: [number, number, number, number] | null;
  code?: string | null;
}

export const search = (q: string, near?: { lon: number; lat: number }, signal?: AbortSignal) =>
  get<{ items: Hit[] }>("/api/search", { q, lon: near?.lon, lat: near?.lat }, signal);
