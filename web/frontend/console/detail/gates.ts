/** Whether a refusal says that a unit does not pass the gates of a job, and which. */
import { ApiError } from "@shared/api/client";

export function gatesOf(error: unknown): string[] | null {
  if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 409)) return null;
  const named = error.params.gates ?? error.params.barred;
  if (Array.isArray(named)) return named.map((gate) => (typeof gate === "object" && gate ? String((gate as { code?: unknown }).code) : String(gate)));
  return null;
}
