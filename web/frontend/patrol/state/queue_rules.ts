/** What becomes of a queued action after the server answered, or did not. */
import { ApiError } from "@shared/api/client";

export type Verdict =
  /** The server has it. */
  | "sent"
  /** No answer or a passing fault: keep it first in line and try again. */
  | "wait"
  /** Refused for good: show it, let the officer change or drop it. */
  | "refused";

/** A step that the server already has is not a refusal. */
const ALREADY: Readonly<Record<string, readonly string[]>> = {
  accept: ["accepted", "en_route", "on_scene", "done"],
  decline: ["declined"],
  depart: ["en_route", "on_scene", "done"],
  arrive: ["on_scene", "done"],
  done: ["done"],
  task: ["done"],
};

/** Duty is a state, not an event: being there already is what was wanted. */
const DUTY_REACHED: readonly string[] = ["already_on_duty", "not_on_duty", "not_on_break"];

/** A server that fails this often on the same entry will fail on: the rest of the line must not wait for it. */
const MOST_FAULTS = 8;
const PASSING: readonly number[] = [0, 408, 429, 502, 503, 504];

export function judge(verb: string, attempt: number, error: unknown): Verdict {
  if (!(error instanceof ApiError)) return attempt < MOST_FAULTS ? "wait" : "refused";
  if (PASSING.includes(error.status)) return "wait";
  if (error.status >= 500) return attempt < MOST_FAULTS ? "wait" : "refused";
  // A sign-in that ran out mends itself once the officer signs in again: nothing is lost.
  if (error.status === 401) return "wait";
  if (error.code === "busy_try_again") return "wait";
  if (verb === "duty" && DUTY_REACHED.includes(error.code)) return "sent";
  const status = error.params.status;
  // Denying an arrival that the server proposed and has taken back itself: nobody is on scene, as wanted.
  if (verb === "arrive-undo" && (status === "accepted" || status === "en_route")) return "sent";
  // A step says nothing but itself: whoever told it, a seat over the radio or a lost answer, it is as was wanted. A result
  // has words and photos: only a repeat of one's own is there already.
  const counts = verb !== "done" || attempt > 0;
  if (counts && error.code === "not_allowed_in_status" && typeof status === "string" && ALREADY[verb]?.includes(status)) return "sent";
  return "refused";
}

/** Milliseconds before the next try: 1, 2, 4 ... 30 s. */
export function waitMs(attempt: number): number {
  return Math.min(30_000, 1000 * 2 ** Math.max(0, attempt - 1));
}
