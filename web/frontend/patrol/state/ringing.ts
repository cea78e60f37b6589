/** The sound and the shake of an offer, until a finger touches the page or the offer is gone. */
import { ref } from "vue";

const EVERY_MS = 3_000;

let audio: AudioContext | null = null;
let timer: ReturnType<typeof setInterval> | undefined;
/** False while the browser keeps this page silent: it sounds only after a touch. */
export const soundReady = ref(false);
export const isRinging = ref(false);

/** Called from a touch, the only moment at which a browser lets a page begin to sound. */
export async function unlockSound(): Promise<void> {
  if (typeof AudioContext === "undefined") return;
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

/** One ring, so that an officer hears before the shift whether the phone is loud enough. */
export async function tryRing(): Promise<void> {
  await unlockSound();
  beep();
}

export function ring(): void {
  stopRinging();
  isRinging.value = true;
  beep();
  timer = setInterval(beep, EVERY_MS);
}

export function stopRinging(): void {
  clearInterval(timer);
  timer = undefined;
  isRinging.value = false;
  navigator.vibrate?.(0);
}

/** Any touch makes the page ready to sound: an officer whose page was reloaded on duty must not miss a ring. */
export function unlockAtFirstTouch(): void {
  document.addEventListener("pointerdown", () => void unlockSound(), { capture: true });
}
