/** How each kind of action reaches the server. Files go first, each noted as soon as it has arrived. */
import { serverSkewMs } from "@shared/api/client";
import { actOnDispatch } from "@shared/api/dispatches";
import { answerQuestion, askForHelp, callSos, finishTask, setDuty, uploadPhoto, uploadVoice } from "@shared/api/patrol";
import { createReport } from "@shared/api/reports";
import { forgetFixes, sendKeptFixes } from "./fixes";
import { type Action, type Entry, type Files, saveEntry } from "./queue_store";

/** The name under which `judge` knows an action. */
export function verbOf(action: Action): string {
  if (action.kind === "step" || action.kind === "help") return action.verb;
  return action.kind === "result" ? "done" : action.kind;
}

/** Sends the files that have not arrived; a cut line sends none of them twice. */
async function sendFiles(entry: Entry, files: Partial<Files>, incidentId: string, purpose: string): Promise<void> {
  const photoIds = (files.photoIds ??= []);
  for (const photo of (files.photos ?? []).slice(photoIds.length)) {
    photoIds.push((await uploadPhoto(photo, incidentId, purpose)).id);
    await saveEntry(entry);
  }
  if (files.voice && !files.voiceId) {
    files.voiceId = (await uploadVoice(files.voice, incidentId, purpose)).id;
    await saveEntry(entry);
  }
}

async function sendDuty({ action, reason }: Extract<Action, { kind: "duty" }>): Promise<void> {
  const ends = action === "stop" || action === "break";
  // Fixes taken on duty count as long as the server still takes the unit for on duty.
  if (ends) await sendKeptFixes();
  await setDuty(action, reason);
  if (ends) await forgetFixes();
}

/** A time of this phone's clock on the server's, as far as that is known. */
const onServerClock = (at: string) => new Date(Date.parse(at) + serverSkewMs.value).toISOString();

export async function send(entry: Entry): Promise<void> {
  const { action, madeAt } = entry;
  switch (action.kind) {
    case "duty":
      return sendDuty(action);
    case "step":
      await actOnDispatch(action.dispatchId, action.verb, action.reason ? { reason: action.reason } : {}, madeAt);
      return;
    case "task":
      return finishTask(action.taskId, madeAt);
    case "help":
      return askForHelp(action.dispatchId, action.verb, action.body, madeAt);
    case "answer":
      return answerQuestion(action.questionId, action.answer);
    case "sos":
      return callSos(action.place, madeAt);
    case "report":
      if (!action.incidentId) {
        action.incidentId = (await createReport({ ...action.report, occurred_from: onServerClock(action.report.occurred_from ?? madeAt) })).incident.id;
        await saveEntry(entry);
      }
      return sendFiles(entry, action, action.incidentId, "report");
    case "result": {
      await sendFiles(entry, action, action.incidentId, "result");
      const voice = action.voiceId ? { voice_id: action.voiceId } : {};
      await actOnDispatch(action.dispatchId, "done", { code: action.code, note: action.note, photo_ids: action.photoIds, ...voice }, madeAt);
      return;
    }
    case "supplement": {
      await sendFiles(entry, action, action.incidentId, "result");
      const voice = action.voiceId ? { voice_id: action.voiceId } : {};
      await actOnDispatch(action.dispatchId, "supplement", { note: action.note, photo_ids: action.photoIds, ...voice }, madeAt);
    }
  }
}
