/** The result of a job as it is being filled in. */
import type { Action, Files } from "./queue_store";

export interface ResultDraft {
  code: string | null;
  note: string;
  photos: Blob[];
  voice: Blob | null;
}
export type ResultAction = Extract<Action, { kind: "result" }>;

export const EMPTY_RESULT: ResultDraft = { code: null, note: "", photos: [], voice: null };
export const draftKey = (dispatchId: string) => `result:${dispatchId}`;

export const toDraft = ({ code, note, photos, voice }: ResultAction): ResultDraft => ({ code, note, photos, voice: voice ?? null });

/** What comes back from the phone's disk is the same file in another object. */
export const isSameFile = (one: Blob | null | undefined, other: Blob | null | undefined) =>
  one === other || (!!one && !!other && one.size === other.size && one.type === other.type);

/** Photos that arrived already are not sent again; a changed set is sent whole. */
export function withDraft(action: ResultAction, draft: ResultDraft): ResultAction {
  const samePhotos = draft.photos.length >= action.photoIds.length && action.photoIds.every((_, index) => isSameFile(draft.photos[index], action.photos[index]));
  const sameVoice = draft.voice !== null && isSameFile(draft.voice, action.voice);
  return {
    ...action,
    code: draft.code ?? action.code,
    note: draft.note.trim(),
    photos: draft.photos,
    photoIds: samePhotos ? action.photoIds : [],
    voice: draft.voice,
    voiceId: sameVoice ? (action.voiceId ?? null) : null,
  };
}

/** What goes beside a result that stands already. */
export interface Supplement {
  note: string;
  photos: Blob[];
  voice: Blob | null;
}
export type SupplementAction = Extract<Action, { kind: "supplement" }>;
export const emptySupplement: Supplement = { note: "", photos: [], voice: null };

type About = Pick<SupplementAction, "dispatchId" | "incidentId" | "classKey"> & Partial<Files>;

/** What goes beside the result of `job`. Files of an action before it that have arrived are not sent again. */
export function supplementTo(job: About, added: Supplement): SupplementAction {
  const { dispatchId, incidentId, classKey, photos = [], photoIds = [] } = job;
  const stillThere = photoIds.every((_, index) => isSameFile(photos[index], added.photos[index]));
  return {
    kind: "supplement", dispatchId, incidentId, ...(classKey ? { classKey } : {}), ...added,
    photoIds: stillThere ? [...photoIds] : [],
    voiceId: added.voice && isSameFile(added.voice, job.voice) ? (job.voiceId ?? null) : null,
  };
}
