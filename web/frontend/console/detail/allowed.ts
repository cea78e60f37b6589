/** What can be done with an incident now. The server's list decides; the table below is only for lists it leaves empty. */
import type { IncidentDetail } from "@shared/api/incidents";

export type Step = "handle" | "take_over" | "dispatch" | "wait" | "verify" | "reopen" | "none";

const NAMES: Record<string, readonly string[]> = {
  handle: ["handle"],
  take_over: ["take_over", "handle"],
  dispatch: ["offer", "dispatch"],
  verify: ["verify", "close"],
  close: ["close", "verify"],
  return: ["return"],
  void: ["void"],
  duplicate: ["duplicate"],
  reopen: ["reopen"],
  reclassify: ["reclassify"],
  move: ["move"],
  note: ["note"],
};

export function isAllowed(incident: Pick<IncidentDetail, "allowed">, verb: string): boolean {
  return (NAMES[verb] ?? [verb]).some((name) => incident.allowed.includes(name));
}

/** The one step that comes next; the primary button does it. */
export function nextStep(incident: Pick<IncidentDetail, "status" | "handler" | "dispatches_open" | "allowed">, myId: string): Step {
  if (incident.status === "closed") return isAllowed(incident, "reopen") ? "reopen" : "none";
  if (incident.status === "awaiting_verification") return isAllowed(incident, "verify") ? "verify" : "none";
  if (!incident.handler && isAllowed(incident, "handle")) return "handle";
  if (incident.dispatches_open > 0) return "wait";
  if (isAllowed(incident, "dispatch")) return "dispatch";
  return incident.handler && incident.handler.id !== myId && isAllowed(incident, "take_over") ? "take_over" : "none";
}
