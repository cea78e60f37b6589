/** The order of the queue, and how the world looks to an officer whose taps have not arrived yet. Pure rules. */
import type { Job, PatrolState } from "@shared/api/patrol";
import type { Action, Entry } from "./queue_store";

/** A cry for help never waits behind four photos. */
export type Lane = "urgent" | "main";
const URGENT: readonly Action["kind"][] = ["sos", "answer", "help"];
export const laneOf = (action: Action): Lane => (URGENT.includes(action.kind) ? "urgent" : "main");

/** The job that an action belongs to; actions of one job keep their order, those of others do not wait for it. */
export function jobOf(action: Action): string | null {
  return "dispatchId" in action ? action.dispatchId : null;
}

/**
 * The entry of a lane that is sent next, or undefined. Passed over: what was refused, what may still be taken back, and
 * what follows something of the same job that is not through.
 */
export function nextEntry(entries: readonly Entry[], lane: Lane, now: number): Entry | undefined {
  const blocked = new Set<string>();
  for (const entry of entries) {
    const job = jobOf(entry.action);
    const isFree = !entry.refusal && (entry.holdUntil ?? 0) <= now && (job === null || !blocked.has(job));
    if (isFree && laneOf(entry.action) === lane) return entry;
    if (job !== null) blocked.add(job);
  }
  return undefined;
}

/** Milliseconds until the first held entry may go, or null. */
export function nextHoldMs(entries: readonly Entry[], now: number): number | null {
  const holds = entries.filter((entry) => !entry.refusal && (entry.holdUntil ?? 0) > now).map((entry) => entry.holdUntil! - now);
  return holds.length > 0 ? Math.min(...holds) : null;
}

/** A refusal with what waits behind it: the officer decides once about all of it. */
export interface Conflict {
  jobId: string | null;
  first: Entry;
  behind: Entry[];
}

export function conflictsOf(entries: readonly Entry[]): Conflict[] {
  const found: Conflict[] = [];
  for (const entry of entries) {
    const job = jobOf(entry.action);
    const open = job === null ? undefined : found.find((conflict) => conflict.jobId === job);
    if (open) open.behind.push(entry);
    else if (entry.refusal) found.push({ jobId: job, first: entry, behind: [] });
  }
  return found;
}

const AFTER: Record<string, string> = { accept: "accepted", depart: "en_route", arrive: "on_scene" };

/** The step that a job is at once everything tapped so far has arrived. */
export function statusAfter(job: Pick<Job, "id" | "status">, waiting: readonly Entry[]): string {
  let status = job.status;
  for (const { action } of waiting) {
    if (jobOf(action) !== job.id) continue;
    // Denying a proposed arrival leaves the step as it was.
    if (action.kind === "step" && action.verb === "arrive-undo") status = status === "on_scene" ? "en_route" : status;
    else if (action.kind === "step") status = AFTER[action.verb] ?? status;
    if (action.kind === "result") status = "done";
  }
  return status;
}

export type DutyNow = "off" | "on" | "break";

/** Off duty from the tap on, whether or not the server has heard of it: from then on no place is taken. */
export function dutyAfter(state: PatrolState | null, waiting: readonly Entry[]): DutyNow {
  let duty: DutyNow = !state?.duty.on ? "off" : state.unit.status === "break" ? "break" : "on";
  for (const { action } of waiting) {
    if (action.kind === "duty") duty = { start: "on", stop: "off", break: "break", resume: "on" }[action.action] as DutyNow;
  }
  return duty;
}

/** Tasks that were ticked and are on their way. */
export function tickedTasks(waiting: readonly Entry[]): ReadonlySet<string> {
  return new Set(waiting.flatMap(({ action }) => (action.kind === "task" ? [action.taskId] : [])));
}
