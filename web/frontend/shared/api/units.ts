import { get } from "./client";

export interface Unit {
  id: string;
  call_sign: string;
  kind: string;
  mode: string;
  status: string;
  lon: number | null;
  lat: number | null;
  fixed_at: string | null;
  accuracy_m: number | null;
  heading_deg: number | null;
  area_id: number | null;
  dispatch_id: string | null;
}

export const listUnits = () => get<{ items: Unit[] }>("/api/units");
