/** What a seat can do with a job by its status; the server's transition table has the last word. */
export type JobVerb =
  | "accept" | "decline" | "depart" | "arrive" | "done" | "need-help" | "cannot-enter" | "recall" | "release" | "divert" | "cancel";

const BY_STATUS: Record<string, readonly JobVerb[]> = {
  offered: ["accept", "decline", "cancel"],
  accepted: ["depart", "arrive", "need-help", "divert", "recall"],
  en_route: ["arrive", "need-help", "divert", "recall"],
  on_scene: ["done", "need-help", "cannot-enter", "divert", "release"],
};

export const jobVerbs = (status: string): readonly JobVerb[] => BY_STATUS[status] ?? [];

/** Steps that need no words go out at once; the rest open a form. */
export const isAtOnce = (verb: JobVerb): boolean => verb === "accept" || verb === "depart" || verb === "arrive";

export interface JobForm {
  reason?: string;
  code?: string;
  note?: string;
  to_incident_id?: string;
  assign?: boolean;
  photo_follows?: boolean;
  /** Why a unit is sent past the gates of the case it is diverted to. */
  override_reason?: string;
}

/** The address and the body of a verb: steps go by radio, orders have their own. */
export function requestFor(verb: JobVerb, form: JobForm = {}): { verb: "radio" | "recall" | "release" | "divert" | "cancel" | "need-help" | "cannot-enter"; body: Record<string, unknown> } {
  const note = form.note?.trim();
  switch (verb) {
    case "accept": case "depart": case "arrive":
      return { verb: "radio", body: { step: verb } };
    case "decline":
      return { verb: "radio", body: { step: verb, reason: form.reason } };
    case "done":
      return { verb: "radio", body: { step: verb, code: form.code, note: note ?? "", ...(form.photo_follows ? { photo_follows: true } : {}) } };
    case "need-help":
      return { verb, body: note ? { note } : {} };
    case "cannot-enter":
      return { verb, body: { reason: form.reason, ...(note ? { note } : {}) } };
    case "divert":
      return { verb, body: { to_incident_id: form.to_incident_id, reason: form.reason, assign: form.assign ?? false, ...(form.override_reason?.trim() ? { override_reason: form.override_reason.trim() } : {}) } };
    default:
      return { verb, body: { reason: form.reason } };
  }
}
