/**
 * What the phone must not lose, on its disk: what the officer did that the server does not have yet, forms that are
 * being filled in, and fixes that were not sent. It outlives a closed page and a dead battery.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { DutyAction, SentFix } from "@shared/api/patrol";
import type { NewReport } from "@shared/api/reports";

/** Files that travel with an action; an id stands for each that has arrived, in the same order. */
export interface Files {
  photos: Blob[];
  photoIds: string[];
  voice?: Blob | null;
  voiceId?: string | null;
}

export type StepVerb = "accept" | "decline" | "depart" | "arrive" | "arrive-undo" | "no-photo";
export type HelpVerb = "need-help" | "cannot-enter";
export interface Place {
  lon: number;
  lat: number;
  accuracy_m: number;
}

export type Action =
  | { kind: "step"; dispatchId: string; verb: StepVerb; reason?: string; classKey?: string }
  | ({ kind: "result"; dispatchId: string; incidentId: string; code: string; note: string; classKey?: string } & Files)
  | ({ kind: "supplement"; dispatchId: string; incidentId: string; note: string; classKey?: string } & Files)
  | ({ kind: "report"; report: NewReport; incidentId?: string } & Partial<Files>)
  | { kind: "task"; dispatchId: string; taskId: string; name: string }
  | { kind: "help"; dispatchId: string; verb: HelpVerb; body: Record<string, string>; classKey?: string }
  | { kind: "answer"; questionId: string; answer: "ok" | "help" }
  | { kind: "sos"; place: Place | null }
  | { kind: "duty"; action: DutyAction; reason?: string };

export interface Refusal {
  status: number;
  code: string;
  params: Record<string, unknown>;
}

export interface Entry {
  /** Order of the line; given by the store. */
  id?: number;
  account: string;
  action: Action;
  madeAt: string;
  attempts: number;
  refusal: Refusal | null;
  /** Milliseconds of this phone's clock before which it is not sent: the officer may still take it back. */
  holdUntil?: number;
  /** The server has it; the entry stays until the page shows what came of it. */
  sent?: boolean;
}

export interface Draft {
  /** What the form is for: "result:<dispatch>". */
  key: string;
  account: string;
  value: unknown;
  savedAt: number;
}

export interface KeptFix {
  id?: number;
  account: string;
  fix: SentFix;
}

interface Schema extends DBSchema {
  entries: { key: number; value: Entry };
  drafts: { key: string; value: Draft };
  fixes: { key: number; value: KeptFix };
}

const NAME = "gridmap-patrol";
let opened: Promise<IDBPDatabase<Schema>> | undefined;

export function store(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>(NAME, 2, {
    upgrade: (db) => {
      if (!db.objectStoreNames.contains("entries")) db.createObjectStore("entries", { keyPath: "id", autoIncrement: true });
      if (!db.objectStoreNames.contains("drafts")) db.createObjectStore("drafts", { keyPath: "key" });
      if (!db.objectStoreNames.contains("fixes")) db.createObjectStore("fixes", { keyPath: "id", autoIncrement: true });
    },
    // An older page in another tab must not keep this one from opening.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
}

/** The entries of one account, oldest first: a phone handed on must not act for the last officer. */
export async function listEntries(account: string): Promise<Entry[]> {
  const all = await (await store()).getAll("entries");
  return all.filter((entry) => entry.account === account);
}

export async function addEntry(account: string, action: Action, holdUntil?: number): Promise<number> {
  const entry: Entry = { account, action, madeAt: new Date().toISOString(), attempts: 0, refusal: null };
  if (holdUntil !== undefined) entry.holdUntil = holdUntil;
  return (await store()).add("entries", entry);
}

/** Changes an entry; one that was dropped meanwhile stays dropped, whatever its sending came to. */
export async function saveEntry(entry: Entry): Promise<void> {
  const line = (await store()).transaction("entries", "readwrite");
  if (entry.id !== undefined && (await line.store.getKey(entry.id)) !== undefined) await line.store.put(entry);
  await line.done;
}

/** All or none: what waits behind a dropped entry must not go out between the two. */
export async function dropEntries(ids: readonly number[]): Promise<void> {
  const line = (await store()).transaction("entries", "readwrite");
  for (const id of ids) void line.store.delete(id);
  await line.done;
}
