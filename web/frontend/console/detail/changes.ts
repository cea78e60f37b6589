/** What somebody else changed meanwhile, in one line. */
import type { IncidentSummary } from "@shared/api/incidents";
import { t } from "@shared/i18n";
import { className, termName } from "@shared/vocab";

export function describeChange(before: IncidentSummary, after: IncidentSummary): string {
  const changes: string[] = [];
  const say = (what: string, from: string, to: string) => from !== to && changes.push(t("change.line", { what, from: from || "–", to: to || "–" }));
  say(t("change.status"), termName("incident_statuses", before.status), termName("incident_statuses", after.status));
  say(t("change.handler"), before.handler?.name ?? "", after.handler?.name ?? "");
  say(t("change.class"), className(before.class_key), className(after.class_key));
  say(t("change.severity"), termName("severities", before.severity), termName("severities", after.severity));
  say(t("change.address"), before.address ?? "", after.address ?? "");
  if (before.lon !== after.lon || before.lat !== after.lat) changes.push(t("change.moved"));
  return changes.join(" · ") || t("change.other");
}
