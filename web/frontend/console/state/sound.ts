/** Alarm tones made at run time; no sound files. A browser allows sound only after the first key or click. */
import { useStorage } from "@vueuse/core";
import { computed, ref } from "vue";

const storedMute = useStorage("gridmap.muted", false);
export const muted = computed({ get: () => storedMute.value, set: (value) => (storedMute.value = value) });
/** True until a gesture: the page says that it cannot ring yet. */
export const blocked = ref(true);

let context: AudioContext | null = null;

export function unlockSound(): void {
  const unlock = () => {
    context ??= new AudioContext();
    void context.resume().then(() => (blocked.value = context?.state !== "running"));
  };
  addEventListener("pointerdown", unlock, { once: true });
  addEventListener("keydown", unlock, { once: true });
}

function tone(frequency_hz: number, start_s: number, length_s: number, volume: number): void {
  if (!context) return;
  const oscillator = context.createOscillator();
  const gain = context.createGain();
  oscillator.type = "triangle";
  oscillator.frequency.value = frequency_hz;
  const at = context.currentTime + start_s;
  gain.gain.setValueAtTime(0, at);
  gain.gain.linearRampToValueAtTime(volume, at + 0.02);
  gain.gain.setValueAtTime(volume, at + length_s - 0.05);
  gain.gain.linearRampToValueAtTime(0, at + length_s);
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + length_s);
}

function play(notes: readonly (readonly [number, number, number])[], volume: number): void {
  if (muted.value || !context) return;
  for (const [frequency, start, length] of notes) tone(frequency, start, length, volume);
}

/** Two rising pairs for a critical incident; a drill sounds lower and once. */
export function playUrgent(drill = false): void {
  play(drill ? [[520, 0, 0.25]] : [[880, 0, 0.18], [1175, 0.2, 0.28], [880, 0.65, 0.18], [1175, 0.85, 0.28]], 0.35);
}

export function playAlarm(): void {
  play([[660, 0, 0.2], [550, 0.24, 0.3]], 0.25);
}

/** A person in danger: rises and falls, unlike any other tone. */
export function playDanger(): void {
  play([[700, 0, 0.35], [1050, 0.35, 0.35], [700, 0.7, 0.35], [1050, 1.05, 0.45]], 0.4);
}
