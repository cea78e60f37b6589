import { get } from "./client";

export interface WallPoint {
  class_key: string;
  severity: number;
  status: string;
  reported_at: string;
  /** On a lattice of about 200 m: a screen in a hall must not lead to a door. */
  lon: number;
  lat: number;
}

export interface Wall {
  counts: { severity: number; status: string; n: number; overdue: number }[];
  points: WallPoint[];
  areas: { area_id: number; name: string; n: number; severe: number }[];
  alarms: { kind: string; n: number; oldest: string }[];
  units: Record<string, number>;
  /** Of the last 24 hours. */
  reported: number;
  closed: number;
}

export const getWall = () => get<Wall>("/api/wall");
