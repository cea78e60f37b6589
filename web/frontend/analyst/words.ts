/** Sentences from the codes that a run tells. */
import type { Coded } from "@shared/api/risk";
import { findText, t } from "@shared/i18n";
import { className, termName } from "@shared/vocab";

export const percent = (value: unknown, digits = 0) => `${(Number(value) * 100).toFixed(digits)}%`;

/** Shares among the parameters become percentages, hours clock times, keys names. */
function readable(params: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = { ...params };
  for (const name of ["share", "urban", "rural"]) if (typeof out[name] === "number") out[name] = percent(out[name]);
  if (Array.isArray(out.hours)) out.hours = out.hours.map((hour) => `${String(hour).padStart(2, "0")}:00`).join("、");
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
