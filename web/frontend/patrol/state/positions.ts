/** Where this phone is: watched and sent on duty only. Off duty and on break nothing is watched and nothing is sent. */
import { ref, shallowRef, watch } from "vue";
import { serverSkewMs } from "@shared/api/client";
import type { SentFix } from "@shared/api/patrol";
import { acceptedAt, forgetFixes, keepFix, sendKeptFixes } from "./fixes";
import type { Place } from "./queue_store";
import { queueRead } from "./queue";
import { onDuty, state } from "./store";

const SEND_EVERY_MS = 5_000;
/** A phone that lies still reports nothing new: it is asked, so that the desk knows it is still heard. */
const ASK_AFTER_MS = 12_000;
const OPTIONS: PositionOptions = { enableHighAccuracy: true, maximumAge: 2_000, timeout: 20_000 };

export const here = shallowRef<Place | null>(null);
export const positionProblem = ref<"denied" | "unavailable" | null>(null);

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
  if (watchId === null) return;
  takenAt = Date.now();
  const fix = asFix(position);
  here.value = { lon: fix.lon, lat: fix.lat, accuracy_m: fix.accuracy_m ?? 0 };
  positionProblem.value = null;
  void keepFix(fix);
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
    void sendKeptFixes();
  }, SEND_EVERY_MS);
}

/** What was taken on duty is sent by the queue just before the end of duty itself; nothing is taken or sent after it. */
function end(): void {
  if (watchId !== null) navigator.geolocation.clearWatch(watchId);
  watchId = null;
  clearInterval(timer);
  takenAt = 0;
  here.value = null;
  acceptedAt.value = null;
  positionProblem.value = null;
}

export function startPositions(): void {
  watch(onDuty, (on) => (on ? begin() : end()), { immediate: true });
  // Fixes of a duty that the server ended itself while this page was closed belong to no duty any more.
  watch([queueRead, state], () => {
    if (queueRead.value && state.value && !state.value.duty.on) void forgetFixes();
  });
}

const asPlace = ({ coords }: GeolocationPosition): Place => ({ lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy });

/** One position now, for a report or a call for help; null when the phone gives none in that time. */
export function currentPlace(timeoutMs = 8_000): Promise<Place | null> {
  if (here.value) return Promise.resolve(here.value);
  if (!("geolocation" in navigator)) return Promise.resolve(null);
  return new Promise((done) =>
    navigator.geolocation.getCurrentPosition(
      (position) => done(asPlace(position)),
      () => done(null),
      { enableHighAccuracy: true, timeout: timeoutMs, maximumAge: 30_000 },
    ),
  );
}
