/** The history of an incident in sentences: codes and parameters from the server, words from the catalogue. */
import type { TimelineEvent } from "@shared/api/incidents";
import { distance } from "@shared/format/measure";
import { travelTime } from "@shared/format/time";
import { findText, t } from "@shared/i18n";
import { className, findClass, termName } from "@shared/vocab";

type Params = Record<string, unknown>;
const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));

/** Codes among the parameters become names; measures get their unit. */
function readable(params: Params): Params {
  const out: Params = { ...params };
  for (const [key, value] of Object.entries(params)) {
    if (typeof value === "string" && findClass(value)) out[key] = className(value);
    else if (/severity/.test(key) && (typeof value === "number" || typeof value === "string")) out[key] = termName("severities", value as number);
    else if (key === "outcome") out[key] = termName("outcomes", text(value));
    else if (key === "code" || key === "result") out[key] = termName("results", text(value));
    else if (key === "channel") out[key] = termName("channels", text(value));
    else if (key === "decline_reason") out[key] = termName("decline_reasons", text(value));
    else if (/_m$/.test(key) && typeof value === "number") out[key] = distance(value);
    else if (/^seconds|_s$/.test(key) && typeof value === "number") out[key] = travelTime(value);
  }
  return out;
}

export interface TimelineLine {
  title: string;
  details: string[];
}

const SHOWN = ["unit", "call_sign", "from", "to", "class_key", "severity", "outcome", "code", "reason", "note", "text", "number", "channel", "distance_m", "seconds_est"];

function valueText(value: unknown): string {
  if (value && typeof value === "object") {
    const named = value as { call_sign?: unknown; name?: unknown; number?: unknown };
    return text(named.call_sign ?? named.name ?? named.number);
  }
  return text(value);
}

export function timelineLine(event: TimelineEvent): TimelineLine {
  const params = readable(event.params ?? {});
  const title = termName("event_kinds", event.kind);
  const details: string[] = [];
  for (const key of SHOWN) {
    const value = valueText(params[key]);
    if (!value) continue;
    const phrase = findText(`timeline.${key}`, { value });
    details.push(phrase ?? value);
  }
  return { title, details };
}

export function actorName(actor: TimelineEvent["actor"]): string {
  if (!actor) return t("timeline.system");
  return typeof actor === "string" ? actor : actor.name;
}
