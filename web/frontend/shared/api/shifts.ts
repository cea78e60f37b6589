import { get, post } from "./client";

export interface OpenItem {
  kind: "incident" | "alarm" | "closure" | "callout" | "task";
  id: string;
  label: string;
  code: string;
  severity: number | null;
  since: string;
  /** Nobody owned it where this is null: who signs does from then on. */
  owner_id: string | null;
}

export interface Handover {
  id: string;
  status: "open" | "signed" | "withdrawn";
  from_account_id: string;
  from_name: string;
  note: string | null;
  started_at: string;
  signed_at: string | null;
  signed_by: string | null;
  signed_name: string | null;
  /** Of all it covers; in the list of handovers `items` stands on those that wait only. */
  total: number;
  counts: Record<string, number>;
  items: OpenItem[];
}

export const listOpenItems = () => get<{ items: OpenItem[] }>("/api/shifts/open");
export const listHandovers = () => get<{ items: Handover[] }>("/api/shifts/handovers");
export const startHandover = (note: string) => post<Handover>("/api/shifts/handover/start", note ? { note } : {});
export const signHandover = (id: string) => post<Handover>(`/api/shifts/handover/${id}/sign`);
export const withdrawHandover = (id: string) => post<Handover>(`/api/shifts/handover/${id}/withdraw`);
