import { get, post } from "./client";
import type { Asked, Callout, PlaceNeed, Plan } from "./response";
import type { Name } from "./vocab";

/** One version of a plan as it was written: the form of data/vocab/plans.toml. */
export interface PlanVersion {
  key: string;
  version: number;
  source: "shipped" | "site";
  created_at: string;
  body: Record<string, unknown>;
}

/** What is wrong with a plan, and in which field: level.0.need.1.count. */
export interface PlanFault {
  field: string;
  code: string;
  params: Record<string, unknown>;
}

/** One level if nobody said yes before; `after_s` counts from the start of the plan. */
export interface LevelTrial {
  number: number;
  mode: Callout["mode"];
  after_s: number;
  need: Pick<PlaceNeed, "key" | "capability" | "unit_kind" | "count">[];
  wanted: number;
  who: Asked[];
}

/** What a plan would do for one case now. */
export interface PlanTrial {
  fits: "class" | "group" | "no";
  starts: "auto" | "click" | "never";
  rival: { key: string; name: Name } | null;
  levels: LevelTrial[];
  ends_after_s: number;
  told: string[];
  steps: { key: string; due_at: string | null }[];
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
/** `based_on`: the version it was written from, 0 for a new plan. */
export const publishPlan = (key: string, plan: Record<string, unknown>, based_on: number) => post<Plan>(`/api/plans/${key}`, { plan, based_on });
export const tryPlan = (key: string, plan: Record<string, unknown>, incident_id: string) => post<PlanTrial>(`/api/plans/${key}/try`, { plan, incident_id });
export const listAgreements = () => get<{ items: Agreement[] }>("/api/agreements");
export const agree = (body: { lender_area_id: number; borrower_area_id: number; unit_kinds: string[]; valid_from?: string; valid_to?: string; note?: string }) =>
  post<Agreement>("/api/agreements", body);
export const endAgreement = (id: string) => post<Agreement>(`/api/agreements/${id}/end`);
