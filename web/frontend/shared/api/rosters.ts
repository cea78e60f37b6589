import { get, post } from "./client";
import type { Unit } from "./units";

export interface RosterEntry {
  id: string;
  unit_id: string;
  call_sign: string;
  kind: "duty" | "leave" | "swap";
  status: string;
  starts_at: string;
  ends_at: string;
  vehicle: string | null;
  person_name: string | null;
  partner_person_id: string | null;
  partner_name: string | null;
  reason: string | null;
}

export interface NewSpan {
  unit_id: string;
  starts_at: string;
  ends_at: string;
  kind: "duty" | "leave";
  vehicle?: string;
  partner_person_id?: string;
  reason?: string;
}

export interface Swap {
  id: string;
  status: "asked" | "accepted" | "refused" | "confirmed" | "withdrawn";
  entry: RosterEntry;
  back_entry: RosterEntry | null;
  to_call_sign: string;
  reason: string | null;
  asked_at: string;
}

export interface CrewPerson {
  person_id: string;
  name: string;
  job: string | null;
}

export const listRoster = (from: string, to: string) => get<{ items: RosterEntry[] }>("/api/rosters", { from, to });
export const planSpan = (span: NewSpan) => post<{ entry: RosterEntry; uncovered: RosterEntry[] }>("/api/rosters", span);
export const cancelSpan = (id: string, reason: string) => post<RosterEntry>(`/api/rosters/${id}/cancel`, { reason });
export const setCrew = (id: string, crew: { vehicle: string | null; partner_person_id: string | null }) => post<RosterEntry>(`/api/rosters/${id}/crew`, crew);
export const listSwaps = () => get<{ items: Swap[] }>("/api/rosters/swaps");
export const decideSwap = (id: string, confirm: boolean) => post<Swap>(`/api/rosters/swaps/${id}/decide`, { confirm });
export const listCrewPeople = () => get<{ items: CrewPerson[] }>("/api/rosters/people");
/** Every unit, those off duty too. */
export const listAllUnits = () => get<{ items: Unit[] }>("/api/units", { status: "off_duty,free,busy,break" });
