import { get, post } from "./client";

export interface Alarm {
  id: string;
  kind: string;
  status: string;
  severity: number | null;
  raised_at: string;
  due_at?: string | null;
  incident_id: string | null;
  unit_id?: string | null;
  params: Record<string, unknown>;
}

export const listAlarms = () => get<{ items: Alarm[] }>("/api/alarms");
export const acknowledgeAlarm = (id: string) => post<Alarm>(`/api/alarms/${id}/acknowledge`);
