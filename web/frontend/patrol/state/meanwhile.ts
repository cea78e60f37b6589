/** What happened to a job while this phone had no line, in words. */
import { clockTime } from "@shared/format/time";
import { findText, t } from "@shared/i18n";
import type { PatrolState } from "@shared/api/patrol";
import type { Conflict } from "./queue_plan";

/** Undefined where the server's refusal says everything. */
export function meanwhileText({ jobId, first }: Conflict, state: PatrolState | null): string | undefined {
  if (jobId === null || !state) return undefined;
  const ended = state.ended_today?.find((item) => item.id === jobId);
  const done = state.done_today.find((item) => item.id === jobId);
  const open = state.jobs.find((item) => item.id === jobId) ?? state.offers.find((item) => item.dispatch_id === jobId);
  const told = first.refusal?.params.status;
  const status = ended?.status ?? done?.status ?? (open && "status" in open ? open.status : open ? "offered" : told);
  if (typeof status !== "string") return t("meanwhile.gone");
  const at = ended?.ended_at ?? done?.done_at;
  const words = findText(`meanwhile.${status}`, { time: at ? clockTime(at) : "" }) ?? t("meanwhile.gone");
  const why = ended?.end_reason ? findText(`meanwhile.${ended.end_reason}`) : undefined;
  return why ? `${words.trim()} · ${why}` : words.trim();
}
