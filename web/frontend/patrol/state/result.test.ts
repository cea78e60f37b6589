import { describe, expect, it } from "vitest";
import { type ResultAction, toDraft, withDraft, supplementTo } from "./result";

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

describe("supplementTo", () => {
  const photo = new Blob(["one"], { type: "image/jpeg" });
  const job = { dispatchId: "d", incidentId: "i", photos: [photo], photoIds: ["arrived"] };

  it("sends no file again that has arrived, though the disk gave it back as another object", () => {
    const kept = new Blob(["one"], { type: "image/jpeg" });
    expect(supplementTo(job, { note: "words", photos: [kept], voice: null })).toMatchObject({ kind: "supplement", dispatchId: "d", note: "words", photoIds: ["arrived"] });
  });

  it("sends the whole set anew once one of them was taken out", () => {
    expect(supplementTo(job, { note: "", photos: [], voice: null }).photoIds).toEqual([]);
  });
});
