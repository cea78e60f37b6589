import { get } from "./client";

export interface Camera {
  id: string;
  name: string;
  code: string | null;
  kind: string | null;
  status: string;
  lon: number;
  lat: number;
  heading_deg: number | null;
  fov_deg?: number | null;
  range_m?: number | null;
}

export const listCameras = (bbox: readonly number[], limit = 50) =>
  get<{ items: Camera[] }>("/api/cameras", { bbox, limit });
export const getCamera = (id: string) => get<Camera & Record<string, unknown>>(`/api/cameras/${id}`);
