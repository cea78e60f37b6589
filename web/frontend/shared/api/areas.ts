import { get } from "./client";

export interface Area {
  id: number;
  code: string;
  name: string;
  level: string;
  path: string;
  /** [west, south, east, north], degrees WGS84. */
  bbox: [number, number, number, number] | null;
  has_children: boolean;
  open_incidents: number;
  units_on_duty: number;
  cameras: number;
}

export interface AreaDetail extends Area {
  parents: Pick<Area, "id" | "code" | "name" | "level">[];
  geometry: GeoJSON.MultiPolygon | GeoJSON.Polygon | null;
}

export const listAreas = (parent: number | "root", signal?: AbortSignal) =>
  get<{ items: Area[] }>("/api/areas", { parent, tree: "admin" }, signal);
export const getArea = (id: number) => get<AreaDetail>(`/api/areas/${id}`);
