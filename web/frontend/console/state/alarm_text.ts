import type { Alarm } from "@shared/api/alarms";
import type { Name } from "@shared/api/vocab";
import { findText, nameOf, t } from "@shared/i18n";
import { termName } from "@shared/vocab";

type Gap = { count?: number; cause?: string; kinds?: string[]; capability?: string | null; areas?: { name: string }[] };

/** What an alarm says of its subject, in one line. */
export function alarmText(alarm: Pick<Alarm, "kind" | "params">): string {
  if (alarm.kind === "warning") return warningText(alarm.params as unknown as Warning);
  if (alarm.kind !== "cover_gap") return findText(`alarm_text.${alarm.kind}`, alarm.params) ?? "";
  const gap = alarm.params as Gap;
  const who = gap.capability ? termName("capabilities", gap.capability) : (gap.kinds ?? []).map((kind) => termName("unit_kinds", kind)).join(" / ");
  const count = gap.count ?? 1;
  const names = (gap.areas ?? []).slice(0, 3).map((area) => area.name);
  const where = count > 1 ? t("cover_alarm.several", { names: names.join(t("cover_alarm.and")), n: count }) : "";
  const cause = findText(`cover_alarm.${gap.cause ?? "away"}`) ?? "";
  return t("cover_alarm.line", { ...alarm.params, who, where, cause });
}

interface Warning {
  area: string;
  name: Name;
  count: number;
  expected: number | null;
  record_alarms: number;
  record_days: number;
  false_share: number | null;
}

/** An early warning says what it saw, and how often such a warning was in vain. */
function warningText(told: Warning): string {
  const usual = told.expected === null ? "" : t("early.expected", { n: told.expected });
  const record = told.false_share === null ? t("early.no_record") : t("early.record", { n: told.record_alarms, days: told.record_days, share: Math.round(told.false_share * 100) });
  return t("early.line", { area: told.area, name: nameOf(told.name), n: told.count, usual, record });
}
