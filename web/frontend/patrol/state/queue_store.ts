/** Everything the officer did that the server does not have yet, on the phone's disk: it outlives a dead battery. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { NewReport } from "@shared/api/reports";
import type { DutyAction } from "@shared/api/patrol";

export type Action =
  | { kind: "step"; dispatchId: string; verb: "accept" | "decline" | "depart" | "arrive" | "arrive-undo"; reason?: string }
  | { kind: "result"; dispatchId: string; incidentId: string; code: string; note: string; photos: Blob[]; photoIds: string[] }
  | { kind: "report"; report: NewReport }
  | { kind: "duty"; action: DutyAction };

export interface Entry {
  /** Order of the line; given by the store. */
  id?: number;
  account: string;
  action: Action;
  madeAt: string;
  attempts: number;
  refusal: { code: string; params: Record<string, unknown> } | null;
  /** The server has it; the entry stays until the page shows what came of it. */
  sent?: boolean;
}

interface Schema extends DBSchema {
  entries: { key: number; value: Entry };
}

let opened: Promise<IDBPDatabase<Schema>> | undefined;

function store(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>("gridmap-patrol", 1, {
    upgrade: (db) => void db.createObjectStore("entries", { keyPath: "id", autoIncrement: true }),
  });
  return opened;
}

/** The entries of one account, oldest first: a phone handed on must not act for the last officer. */
export async function listEntries(account: string): Promise<Entry[]> {
  const all = await (await store()).getAll("entries");
  return all.filter((entry) => entry.account === account);
}

export async function addEntry(account: string, action: Action): Promise<void> {
  const entry: Entry = { account, action, madeAt: new Date().toISOString(), attempts: 0, refusal: null };
  await (await store()).add("entries", entry);
}

export async function saveEntry(entry: Entry): Promise<void> {
  await (await store()).put("entries", entry);
}

export async function dropEntry(id: number): Promise<void> {
  await (await store()).delete("entries", id);
}
