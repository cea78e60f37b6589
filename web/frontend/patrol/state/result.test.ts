import { describe, expect, it } from "vitest";
import { type ResultAction, toDraft, withDraft } from "./result";

const photo = (name: string) => new Blob([name]);
const [first, second] = [photo("1"), photo("22")];
const action: ResultAction = {
  kind: "result", dispatchId: "d", incidentId: "i", code: "solved", note: "", photos: [first, second], photoIds: ["p1"], voice: null,
};

describe("withDraft", () => {
  it("does not send again what has arrived", () => {
    const changed = withDraft(action, { ...toDraft(action), code: "not_found", note: " gone " });
    expect(changed).toMatchObject({ code: "not_found", note: "gone", photoIds: ["p1"] });
  });

  it("sends all again once a photo that arrived was taken out", () => {
    expect(withDraft(action, { ...toDraft(action), photos: [second] }).photoIds).toEqual([]);
  });

  it("sends a new voice and keeps one that arrived", () => {
    const voice = photo("v");
    const spoken = { ...action, voice, voiceId: "v1" };
    expect(withDraft(spoken, toDraft(spoken)).voiceId).toBe("v1");
    expect(withDraft(spoken, { ...toDraft(spoken), voice: photo("louder") }).voiceId).toBeNull();
  });
});
