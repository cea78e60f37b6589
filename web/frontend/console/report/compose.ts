/** From the form to what the server takes, and what is still missing. Pure. */
import type { NewReport } from "@shared/api/reports";
import type { Draft } from "./draft";

export type Missing = "class_key" | "place" | "text";

export function missing(draft: Draft): Missing[] {
  const out: Missing[] = [];
  if (!draft.class_key) out.push("class_key");
  if (draft.lon === null && !draft.address.trim()) out.push("place");
  return out;
}

export function toReport(draft: Draft, nowMs: number, joinIncidentId: string | null): NewReport {
  const report: NewReport = {
    channel: draft.channel,
    class_key: draft.class_key!,
    severity: draft.severity,
    text: draft.text.trim(),
    drill: draft.drill,
    occurred_from: new Date(nowMs - draft.occurred_min_ago * 60_000).toISOString(),
    occurred_precision: draft.occurred_min_ago >= 60 ? "hour" : "minute",
  };
  if (draft.lon !== null && draft.lat !== null) Object.assign(report, { lon: draft.lon, lat: draft.lat, crs: "WGS84" });
  if (draft.address.trim()) report.address = draft.address.trim();
  // A reference is unique only within its source; the channel names the source.
  if (draft.source_ref.trim()) Object.assign(report, { source: draft.channel, source_ref: draft.source_ref.trim() });
  if (draft.contact_phone.trim() || draft.contact_name.trim()) {
    report.contact = { name: draft.contact_name.trim(), phone: draft.contact_phone.trim() };
  }
  if (joinIncidentId) report.join_incident_id = joinIncidentId;
  return report;
}
