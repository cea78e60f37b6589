import { get } from "./client";

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
  partner_name: string | null;
  reason: string | null;
}

export const listRoster = (from: string, to: string) => get<{ items: RosterEntry[] }>("/api/rosters", { from, to });
