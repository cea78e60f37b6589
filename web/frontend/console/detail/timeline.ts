/** The history of an incident in sentences: codes and parameters from the server, words from the catalogue. */
import type { TimelineEvent } from "@shared/api/incidents";
import type { Name } from "@shared/api/vocab";
import { distance } from "@shared/format/measure";
import { clockTime, travelTime } from "@shared/format/time";
import { findText, nameOf, t } from "@shared/i18n";
import { className, findClass, termName } from "@shared/vocab";

type Params = Record<string, unknown>;
const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));

/** Codes among the parameters become names; measures get their unit. */
function readable(params: Params, eventKind: string): Params {
  const out: Params = { ...params };
  const old = params.old as { class_key?: string; severity?: number } | undefined;
  if (old?.class_key) out.from = [className(old.class_key), termName("severities", old.severity)].join(" ");
  for (const [key, value] of Object.entries(params)) {
    if (typeof value === "string" && findClass(value)) out[key] = className(value);
    else if (/severity/.test(key) && (typeof value === "number" || typeof value === "string")) out[key] = termName("severities", value as number);
    else if (key === "outcome") out[key] = termName("outcomes", text(value));
    else if (key === "code" || key === "result") out[key] = termName("results", text(value));
    else if (key === "via") out[key] = value === "radio" ? t("radio.marked") : "";
    else if (key === "rule") out[key] = termName("divert_rules", text(value));
    else if (key === "photo" && (value === "follows" || value === "none")) out[key] = t(`result_photo.${value}`);
    else if (key === "name" && typeof value === "object" && value !== null) out[key] = nameOf(value as Name);
    else if (key === "pause") out[key] = termName("pause_reasons", text(value));
    else if (key === "agency") out[key] = termName("agencies", text(value));
    else if (key === "channel") out[key] = termName("channels", text(value));
    else if (key === "reason" && eventKind === "declined") out[key] = termName("decline_reasons", text(value));
    else if (/_m$/.test(key) && typeof value === "number") out[key] = distance(value);
    else if (/^seconds$|_s$/.test(key) && typeof value === "number") out[key] = travelTime(value);
  }
  return out;
}

export interface TimelineLine {
  title: string;
  details: string[];
}

const SHOWN = ["call_sign", "from", "class_key", "severity", "outcome", "code", "of", "number", "text", "note", "reason", "channel", "distance_m", "seconds", "via", "photo", "agency", "name", "pause", "waited_s", "to", "rule", "left_number", "grades", "remaining_s"];

export function timelineLine(event: TimelineEvent): TimelineLine {
  const params = readable(event.params ?? {}, event.kind);
  const title = termName("event_kinds", event.kind);
  const details: string[] = [];
  for (const key of SHOWN) {
    const value = text(params[key]);
    if (!value || (key === "code" && event.kind !== "done")) continue;
    const phrase = findText(`timeline.${key}`, { value });
    details.push(phrase ?? value);
  }
  if (event.occurred_at) details.push(t("timeline.told_later", { at: clockTime(event.at) }));
  return { title, details };
}

export function actorName(actor: TimelineEvent["actor"]): string {
  if (!actor) return t("timeline.system");
  return typeof actor === "string" ? actor : actor.name;
}
