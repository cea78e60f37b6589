/** A voice note: at most a minute, in what the phone's browser can record, handed on while it grows. */
import { onScopeDispose, ref } from "vue";

export const MOST_S = 60;
const BITS_PER_SECOND = 24_000;
/** What was said so far is kept this often: a phone that dies loses two seconds at most. */
const SLICE_MS = 2_000;
const FORMATS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];

export const canRecord = () => typeof MediaRecorder !== "undefined" && !!navigator.mediaDevices?.getUserMedia;

export type RecordingProblem = "denied" | "missing";

/** `onGrown` gets the whole note so far, again and again. */
export function useRecorder(onGrown: (note: Blob) => void) {
  const seconds = ref(0);
  const isRecording = ref(false);
  const problem = ref<RecordingProblem | null>(null);
  let recorder: MediaRecorder | null = null;
  let clock: ReturnType<typeof setInterval> | undefined;

  function stop(): void {
    clearInterval(clock);
    if (recorder && recorder.state !== "inactive") recorder.stop();
    isRecording.value = false;
  }

  async function start(): Promise<void> {
    problem.value = canRecord() ? null : "missing";
    if (problem.value) return;
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true } });
    } catch {
      problem.value = "denied";
      return;
    }
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const parts: Blob[] = [];
    recorder = new MediaRecorder(stream, { ...(mimeType ? { mimeType } : {}), audioBitsPerSecond: BITS_PER_SECOND });
    const type = (recorder.mimeType || "audio/webm").split(";")[0]!;
    recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size > 0) parts.push(data);
      if (parts.length > 0) onGrown(new Blob(parts, { type }));
    });
    // The microphone's light goes out with the note.
    recorder.addEventListener("stop", () => stream.getTracks().forEach((track) => track.stop()));
    recorder.start(SLICE_MS);
    isRecording.value = true;
    seconds.value = 0;
    clock = setInterval(() => {
      seconds.value += 1;
      if (seconds.value >= MOST_S) stop();
    }, 1_000);
  }

  onScopeDispose(stop);
  return { seconds, isRecording, problem, start, stop };
}
