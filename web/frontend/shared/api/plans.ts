import { get, post } from "./client";
import type { Plan } from "./response";

/** One version of a plan as it was written: the form of data/vocab/plans.toml. */
export interface PlanVersion {
  key: string;
  version: number;
  source: "shipped" | "site";
  created_at: string;
  body: Record<string, unknown>;
}

export interface Agreement {
  id: string;
  lender_area_id: number;
  lender_area_name: string | null;
  borrower_area_id: number;
  borrower_area_name: string | null;
  /** Empty lends every kind. */
  unit_kinds: string[];
  valid_from: string | null;
  valid_to: string | null;
  note: string | null;
}

export const listPlanVersions = (key: string) => get<{ items: PlanVersion[] }>(`/api/plans/${key}/versions`);
export const checkPlan = (key: string, plan: Record<string, unknown>) => post<Plan>(`/api/plans/${key}/check`, { plan });
export const publishPlan = (key: string, plan: Record<string, unknown>) => post<Plan>(`/api/plans/${key}`, { plan });
export const listAgreements = () => get<{ items: Agreement[] }>("/api/agreements");
export const agree = (body: { lender_area_id: number; borrower_area_id: number; unit_kinds: string[]; valid_from?: string; valid_to?: string; note?: string }) =>
  post<Agreement>("/api/agreements", body);
export const endAgreement = (id: string) => post<Agreement>(`/api/agreements/${id}/end`);
