import { del, get, patch, post } from "./client";

export interface Account {
  id: string;
  login: string;
  display_name: string;
  status: "active" | "disabled";
  must_change_password: boolean;
  has_password: boolean;
  person_id: string | null;
  person_name: string | null;
  created_at: string;
  last_seen_at: string | null;
  roles: string[];
}

export interface AccountGrant {
  id: string;
  account_id: string;
  role: string;
  area_id: number | null;
  area_name: string | null;
  department: string | null;
  valid_from: string;
  valid_to: string | null;
  in_force: boolean;
}

export interface Token {
  id: string;
  name: string;
  role: string;
  source: string | null;
  area_id: number | null;
  created_at: string;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
}

export interface AuditRow {
  id: number;
  at: string;
  actor: string | null;
  verb: string;
  subject_kind: string | null;
  subject_id: string | null;
  reason: string | null;
  params: Record<string, unknown>;
  seal_no: number | null;
}

export interface AuditFilter {
  actor?: string;
  verb?: string;
  subject?: string;
  from?: string;
  to?: string;
}

export interface NewGrant {
  account_id: string;
  role: string;
  area_id: number | null;
  valid_to?: string;
}

export interface NewToken {
  name: string;
  role: string;
  area_id: number | null;
  source?: string;
  expires_at?: string;
}

/** The most accounts one answer holds: beyond it a search narrows the list. */
export const MOST_ACCOUNTS = 500;

export const listAccounts = (q: string, signal?: AbortSignal) => get<{ items: Account[] }>("/api/accounts", { q }, signal);
export const createAccount = (body: { login: string; display_name: string }) => post<{ id: string }>("/api/accounts", body);
export const changeAccount = (id: string, body: { display_name?: string; status?: "active" | "disabled" }) =>
  patch<{ id: string }>(`/api/accounts/${id}`, body);
export const startReset = (id: string) => post<{ token: string; expires_at: string }>(`/api/accounts/${id}/password-reset`);
export const listGrants = (account: string) => get<{ items: AccountGrant[] }>("/api/grants", { account });
export const createGrant = (body: NewGrant) => post<{ id: string }>("/api/grants", body);
export const revokeGrant = (id: string) => del<void>(`/api/grants/${id}`);
export const listTokens = () => get<{ items: Token[] }>("/api/tokens");
export const createToken = (body: NewToken) => post<{ id: string; secret: string; expires_at: string | null }>("/api/tokens", body);
export const revokeToken = (id: string) => del<void>(`/api/tokens/${id}`);
export const listAudit = (filter: AuditFilter & { cursor?: string | null; limit?: number }) =>
  get<{ items: AuditRow[]; next: string | null }>("/api/audit", { ...filter });
