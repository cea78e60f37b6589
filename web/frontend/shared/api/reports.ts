import { post } from "./client";
import type { IncidentSummary } from "./incidents";

export interface NewReport {
  channel: string;
  source?: string;
  source_ref?: string;
  class_key: string;
  severity?: number;
  text: string;
  lon?: number;
  lat?: number;
  crs?: "WGS84";
  address?: string;
  occurred_from?: string;
  occurred_to?: string;
  occurred_precision?: string;
  contact?: { name: string; phone: string };
  drill?: boolean;
  join_incident_id?: string;
}

export interface ReportReceipt {
  report_id: string;
  incident: IncidentSummary;
  created: boolean;
}

export interface Contact {
  name: string | null;
  phone: string | null;
}

export const createReport = (report: NewReport) => post<ReportReceipt>("/api/reports", report);
/** Shows a reporter's contact; the server writes the reason into the audit. */
export const revealContact = (reportId: string, reason: string) =>
  post<Contact>(`/api/reports/${reportId}/contact`, { reason });
