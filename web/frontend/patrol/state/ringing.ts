/** The sound and the shake of an offer, until it is answered or gone. */
import { ref } from "vue";

const EVERY_MS = 3_000;
const MOST_RINGS = 20;

let audio: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | undefined;
export const soundReady = ref(false);

/** Browsers let a page sound only after a touch: going on duty is that touch. */
export async function unlockSound(): Promise<void> {
  audio ??= new AudioContext();
  await audio.resume().catch(() => undefined);
  soundReady.value = audio.state === "running";
}

function beep(): void {
  navigator.vibrate?.([300, 120, 300]);
  if (!audio || audio.state !== "running") return;
  for (const [offset, hertz] of [[0, 880], [0.22, 1175]] as const) {
    const tone = audio.createOscillator();
    const loudness = audio.createGain();
    tone.frequency.value = hertz;
    const at = audio.currentTime + offset;
    loudness.gain.setValueAtTime(0.001, at);
    loudness.gain.exponentialRampToValueAtTime(0.5, at + 0.02);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + 0.2);
    tone.connect(loudness).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.21);
  }
}

export function ring(): void {
  stopRinging();
  beep();
  let rings = 1;
  timer = setInterval(() => (rings++ < MOST_RINGS ? beep() : stopRinging()), EVERY_MS);
}

export function stopRinging(): void {
  clearInterval(timer);
  timer = undefined;
}
