import { get, post } from "./client";
import type { IncidentSummary } from "./incidents";

export interface Major {
  id: string;
  name: string;
  drill: boolean;
  opened_at: string;
  closed_at: string | null;
  note: string | null;
  members: number;
  open_members: number;
  /** The gravest severity among its members. */
  gravest: number | null;
}

export const listMajors = () => get<{ items: Major[] }>("/api/majors");
export const getMajor = (id: string) => get<Major & { incidents: IncidentSummary[] }>(`/api/majors/${id}`);
export const openMajor = (name: string, incident_ids: string[]) => post<Major>("/api/majors", { name, incident_ids });
export const joinMajor = (id: string, incident_ids: string[]) => post<Major>(`/api/majors/${id}/incidents`, { incident_ids });
export const leaveMajor = (id: string, incident_id: string, reason: string) => post<Major>(`/api/majors/${id}/remove`, { incident_id, reason });
export const closeMajor = (id: string, note: string) => post<Major>(`/api/majors/${id}/close`, note ? { note } : {});
