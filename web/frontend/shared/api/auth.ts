import { del, get, post, request } from "./client";

export interface Grant {
  role: string;
  area_id: number | null;
  area_name: string | null;
  path: string;
}

export interface Deployment {
  name: string;
  demo: boolean;
  timezone: string;
  locale: string;
  /** [west, south, east, north], degrees WGS84. */
  bounds: [number, number, number, number] | null;
  center: [number, number] | null;
  area_set_version: number | string;
  basemap: boolean;
}

export interface Me {
  account: { id: string; login: string; display_name: string; must_change_password: boolean };
  roles: string[];
  verbs: string[];
  csrf: string;
  grants: Grant[];
  unit: { id: string; call_sign: string; mode: string } | null;
  deployment: Deployment;
}

export interface Session {
  id: string;
  created_at: string;
  last_seen_at: string;
  ip: string | null;
  user_agent: string | null;
  current: boolean;
}

export const login = (name: string, password: string) =>
  request<Me>("POST", "/api/login", { body: { login: name, password }, redirectWhenSignedOut: false });
export const logout = () => post<void>("/api/logout");
export const getMe = (redirectWhenSignedOut = true) =>
  request<Me>("GET", "/api/me", { redirectWhenSignedOut });
export const listSessions = () => get<{ items: Session[] }>("/api/me/sessions");
export const endSession = (id: string) => del<void>(`/api/me/sessions/${id}`);
export const changePassword = (current: string, next: string) =>
  request<void>("POST", "/api/me/password", { body: { current, new: next }, redirectWhenSignedOut: false });
export const resetPassword = (token: string, next: string) =>
  request<void>("POST", "/api/password-reset", { body: { token, new: next }, redirectWhenSignedOut: false });
