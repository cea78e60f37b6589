import { get, post } from "./client";

export interface Closure {
  id: string;
  reason: string;
  note: string | null;
  /** Empty stops everybody. */
  modes: string[];
  geometry: GeoJSON.LineString | GeoJSON.Polygon;
  state: "planned" | "closed" | "over";
  starts_at: string;
  ends_at: string | null;
  created_at: string;
  created_by: string;
  ended_at: string | null;
  end_reason: string | null;
}

export interface NewClosure {
  geometry: GeoJSON.LineString | GeoJSON.Polygon;
  reason: string;
  note?: string;
  modes?: string[];
  starts_at?: string;
  ends_at?: string;
}

export const listClosures = () => get<{ items: Closure[] }>("/api/closures");
export const closeRoad = (closure: NewClosure) => post<Closure>("/api/closures", closure);
export const openRoad = (id: string, reason: string) => post<Closure>(`/api/closures/${id}/end`, { reason });
