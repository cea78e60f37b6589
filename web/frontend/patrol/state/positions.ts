/** Where this phone is: watched and sent on duty only. Off duty and on break nothing is watched and nothing is sent. */
import { computed, ref, shallowRef, watch } from "vue";
import { ApiError, serverSkewMs } from "@shared/api/client";
import { sendFixes, type SentFix } from "@shared/api/patrol";
import { onDuty } from "./store";

const SEND_EVERY_MS = 5_000;
/** About two hours of fixes without a line; beyond it the oldest go first. */
const MOST_WAITING = 1_500;
const MOST_A_REQUEST = 200;
/** A phone that lies still reports nothing new: it is asked, so that the desk knows it is still heard. */
const ASK_AFTER_MS = 12_000;
const OPTIONS: PositionOptions = { enableHighAccuracy: true, maximumAge: 2_000, timeout: 20_000 };

export const here = shallowRef<{ lon: number; lat: number; accuracy_m: number } | null>(null);
export const positionProblem = ref<"denied" | "unavailable" | null>(null);
export const acceptedAt = ref<number | null>(null);
const pending = shallowRef<SentFix[]>([]);
export const fixesWaiting = computed(() => pending.value.length);

function asFix(position: GeolocationPosition): SentFix {
  const { longitude, latitude, accuracy, speed, heading } = position.coords;
  const fix: SentFix = {
    lon: longitude,
    lat: latitude,
    crs: "WGS84",
    // Duty is looked up at the fix's own time: a phone whose clock is off must not be taken for off duty.
    fixed_at: new Date(position.timestamp + serverSkewMs.value).toISOString(),
    accuracy_m: accuracy,
  };
  if (speed !== null && Number.isFinite(speed)) fix.speed_mps = speed;
  if (heading !== null && Number.isFinite(heading)) fix.heading_deg = heading;
  return fix;
}

let takenAt = 0;
function take(position: GeolocationPosition): void {
  takenAt = Date.now();
  const fix = asFix(position);
  here.value = { lon: fix.lon, lat: fix.lat, accuracy_m: fix.accuracy_m ?? 0 };
  positionProblem.value = null;
  pending.value = [...pending.value, fix].slice(-MOST_WAITING);
}

let sending = false;
async function send(): Promise<void> {
  if (sending || pending.value.length === 0) return;
  sending = true;
  const batch = pending.value.slice(0, MOST_A_REQUEST);
  try {
    const receipt = await sendFixes(batch);
    if (receipt.accepted > 0) acceptedAt.value = Date.now();
    pending.value = pending.value.slice(batch.length);
  } catch (error) {
    // A refusal of the whole batch will not change by repeating it; silence may.
    const final = error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 401 && error.status !== 429;
    if (final) pending.value = pending.value.slice(batch.length);
  } finally {
    sending = false;
  }
}

/** One missed answer is nothing; a phone that has been silent for this long has no position. */
const MISSED_AFTER_MS = 60_000;
function miss(error: GeolocationPositionError): void {
  if (error.code === error.PERMISSION_DENIED) positionProblem.value = "denied";
  else if (Date.now() - takenAt > MISSED_AFTER_MS) positionProblem.value = "unavailable";
}

let watchId: number | null = null;
let timer: ReturnType<typeof setInterval> | undefined;

function begin(): void {
  if (watchId !== null) return;
  if (!("geolocation" in navigator)) {
    positionProblem.value = "unavailable";
    return;
  }
  watchId = navigator.geolocation.watchPosition(take, miss, OPTIONS);
  timer = setInterval(() => {
    if (Date.now() - takenAt > ASK_AFTER_MS) navigator.geolocation.getCurrentPosition(take, miss, { ...OPTIONS, maximumAge: 0 });
    void send();
  }, SEND_EVERY_MS);
}

function end(): void {
  if (watchId !== null) navigator.geolocation.clearWatch(watchId);
  watchId = null;
  clearInterval(timer);
  pending.value = [];
  takenAt = 0;
  here.value = null;
  acceptedAt.value = null;
}

export function startPositions(): void {
  watch(onDuty, (on) => (on ? begin() : end()), { immediate: true });
}

/** One position now, for a report; undefined when the phone gives none. */
export function currentPlace(): Promise<{ lon: number; lat: number } | undefined> {
  if (here.value) return Promise.resolve({ lon: here.value.lon, lat: here.value.lat });
  if (!("geolocation" in navigator)) return Promise.resolve(undefined);
  return new Promise((done) =>
    navigator.geolocation.getCurrentPosition(
      (position) => done({ lon: position.coords.longitude, lat: position.coords.latitude }),
      () => done(undefined),
      { enableHighAccuracy: true, timeout: 8_000, maximumAge: 30_000 },
    ),
  );
}
