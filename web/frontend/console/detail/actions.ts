/** The verbs on the selected incident: one call, then the reply is shown; a refusal says what changed. */
import { ref } from "vue";
import { ApiError } from "@shared/api/client";
import { actOnDispatch, type Dispatch, offer } from "@shared/api/dispatches";
import { actOnIncident, getIncident, type IncidentDetail, type IncidentVerb, type VerbBody } from "@shared/api/incidents";
import { t } from "@shared/i18n";
import { queries } from "@shared/page";
import { showError } from "@shared/ui/errors";
import { toast } from "@shared/ui/toasts";
import { absorb } from "../state/incidents";
import { describeChange } from "./changes";
import { gatesOf } from "./gates";
import { type JobForm, type JobVerb, requestFor } from "./radio";

export const busy = ref(false);

export function keep(detail: IncidentDetail): void {
  queries.setQueryData(["incident", detail.id], detail);
  absorb(detail);
}

async function refetch(id: string): Promise<IncidentDetail | null> {
  try {
    const fresh = await getIncident(id);
    keep(fresh);
    return fresh;
  } catch {
    return null;
  }
}

/** `onGates` takes a refusal by the gates, for a form that can say more to it than the toast. */
async function guarded<T>(incident: IncidentDetail, work: () => Promise<T>, onGates?: (gates: string[]) => void): Promise<T | undefined> {
  if (busy.value) return undefined;
  busy.value = true;
  try {
    return await work();
  } catch (error) {
    const gates = gatesOf(error);
    if (gates && onGates) {
      onGates(gates);
      return undefined;
    }
    if (error instanceof ApiError && error.status === 409) {
      const fresh = await refetch(incident.id);
      if (error.code === "version_conflict" && fresh) {
        toast({ tone: "bad", text: t("error.version_conflict"), detail: describeChange(incident, fresh) }, 15_000);
        return undefined;
      }
    }
    showError(error);
    return undefined;
  } finally {
    busy.value = false;
  }
}

/** True when the server did it. */
export async function act(incident: IncidentDetail, verb: IncidentVerb, body: VerbBody = {}): Promise<boolean> {
  const done = await guarded(incident, () => actOnIncident(incident.id, verb, { ...body, version: incident.version }));
  if (done) keep(done);
  return done !== undefined;
}

export async function sendOffer(incident: IncidentDetail, unit: { id: string; call_sign: string }): Promise<void> {
  const dispatch = await guarded(incident, () => offer(incident.id, unit.id));
  if (!dispatch) return;
  await refetch(incident.id);
  toast({
    tone: "good",
    text: t("dispatch.offered_to", { unit: unit.call_sign }),
    action: { label: t("dispatch.take_back"), run: () => void cancel(incident, dispatch, t("dispatch.undo_reason")) },
  });
}

/** Call a unit away from a lesser case; the server checks the rule and writes it on both timelines. */
export async function divertByRule(incident: IncidentDetail, dispatchId: string, callSign: string): Promise<void> {
  const made = await guarded(incident, () => actOnDispatch(dispatchId, "divert", { to_incident_id: incident.id }));
  if (!made) return;
  await refetch(incident.id);
  toast({ tone: "good", text: t("dispatch.diverted", { unit: callSign }) });
}

/** A step said for a unit, or an order to it. True when the server did it. */
export async function workJob(incident: IncidentDetail, dispatch: Dispatch, verb: JobVerb, form: JobForm = {}, onGates?: (gates: string[]) => void): Promise<boolean> {
  const { verb: address, body } = requestFor(verb, form);
  const done = await guarded(incident, () => actOnDispatch(dispatch.id, address, body), onGates);
  await refetch(incident.id);
  return done !== undefined;
}

/** What needs nothing but a reason: the offer is taken back, or the photo that was promised cannot be had. */
async function withReason(incident: IncidentDetail, dispatch: Dispatch, verb: "cancel" | "no-photo", reason: string): Promise<boolean> {
  const done = await guarded(incident, () => actOnDispatch(dispatch.id, verb, { reason }));
  await refetch(incident.id);
  return done !== undefined;
}
export const cancel = (incident: IncidentDetail, dispatch: Dispatch, reason: string) => withReason(incident, dispatch, "cancel", reason);
export const sayPhotoless = (incident: IncidentDetail, dispatch: Dispatch, reason: string) => withReason(incident, dispatch, "no-photo", reason);
