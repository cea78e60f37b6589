/** Sentences from the codes that a run tells. */
import type { Coded, RiskArea, Rung, WarningRule } from "@shared/api/risk";
import { findText, locale, t } from "@shared/i18n";
import { className, termName } from "@shared/vocab";

export const percent = (value: unknown, digits = 0) => `${(Number(value) * 100).toFixed(digits)}%`;

/** Several names or times in one line. */
export const listed = (items: readonly string[]) => items.join(locale.value === "zh" ? "、" : ", ");

/** Shares among the parameters become percentages, hours clock times, keys names. */
function readable(params: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...params };
  for (const name of ["share", "urban", "rural"]) if (typeof out[name] === "number") out[name] = percent(out[name]);
  if (Array.isArray(out.hours)) out.hours = listed(out.hours.map((hour) => `${String(hour).padStart(2, "0")}:00`));
  if (typeof out.key === "string") out.key = out.kind === "channel" ? termName("channels", out.key) : className(out.key);
  return out;
}

export const reasonText = (one: Coded) => findText(`risk_reason.${one.code}`, readable(one.params)) ?? one.code;
export const warningText = (one: Coded) => findText(`risk_warning.${one.code}`, readable(one.params)) ?? one.code;
export const refusalText = (one: Coded) => findText(`error.${one.code}`, one.params) ?? t("error.refused", { code: one.code });
export const modelName = (key: string | null | undefined) => (key ? (findText(`risk_model.${key}`) ?? key) : "");

/** Numbers of the list: whole from a hundred on, else with as many digits as mean something. */
export function amount(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value >= 100) return Math.round(value).toString();
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function addDays(day: string, days: number): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

export const consoleLink = (area: Pick<RiskArea, "area_id" | "lon" | "lat">) => `/?area=${area.area_id}&at=${area.lon.toFixed(5)},${area.lat.toFixed(5)}`;

/** When a rule rings. */
export function ruleText(rule: WarningRule): string {
  return rule.kind === "cluster"
    ? t("warn.cluster", { within: rule.within_m, days: rule.days, n: rule.count })
    : t("warn.surge", { hour: `${String(rule.since_hour).padStart(2, "0")}:00`, times: rule.times, n: rule.count });
}

/** How often it would have rung, and how often in vain; a share of few is told as few. */
export function recordText(days: number, alarms: number, falseShare: number | null): string {
  if (!days) return t("warn.record_none");
  if (!alarms || falseShare === null) return t("warn.record_silent", { days });
  return t("warn.record", { days, n: alarms, vain: Math.round(alarms * falseShare), share: percent(falseShare) });
}

/** What a warning saw. */
export function rungText({ params }: Rung): string {
  if (params.expected !== null) return t("warn.saw_surge", { n: params.count, expected: amount(params.expected) });
  return t("warn.saw_cluster", { n: params.count, within: params.within_m, days: params.days });
}
