/** Reports that begin on this phone: what is composed, and which classes an officer reaches with one touch. */
import { useStorage } from "@vueuse/core";
import { computed } from "vue";
import type { IncidentClass } from "@shared/api/vocab";
import { me } from "@shared/auth/session";
import { nameOf } from "@shared/i18n";
import { findClass, leafClasses } from "@shared/vocab";
import { here } from "./positions";
import type { Action, Place } from "./queue_store";

export type ReportAction = Extract<Action, { kind: "report" }>;

/** What patrols and grid workers meet most, until this phone knows its own officer's habits. */
const COMMON: readonly string[] = ["C1.01", "S5.03", "S5.02", "C5.01", "C6.01", "S1.01", "S3.01", "C5.03", "C4.04"];
const TILES = 9;
const used = useStorage<string[]>("gridmap.patrol.classes", []);

/** Nine pictures: the classes last used here first, then the common ones, then whatever the city has. */
export const oftenUsed = computed<IncidentClass[]>(() => {
  const known = [...used.value, ...COMMON].map(findClass).filter((item) => item !== undefined);
  return [...new Set([...known, ...leafClasses.value])].slice(0, TILES);
});

function noteUse(key: string): void {
  used.value = [key, ...used.value.filter((item) => item !== key)].slice(0, TILES);
}

export function composeReport(chosen: IncidentClass, place: Place | null): ReportAction {
  noteUse(chosen.key);
  return {
    kind: "report",
    report: {
      channel: me.value?.roles.includes("grid_worker") ? "grid_worker" : "patrol",
      source: "phone",
      // The server keeps one report per reference, so a repeat after a cut line makes no second one.
      source_ref: crypto.randomUUID(),
      class_key: chosen.key,
      text: nameOf(chosen.name),
      occurred_from: new Date().toISOString(),
      ...(place ? { lon: place.lon, lat: place.lat, crs: "WGS84" as const } : {}),
    },
  };
}

/** What was seen at a job that is not this unit's any more, as a report of its own from where the phone is now. */
export function asReport(result: Extract<Action, { kind: "result" | "supplement" }>): ReportAction {
  const chosen = findClass(result.classKey) ?? leafClasses.value[0]!;
  const composed = composeReport(chosen, here.value);
  return {
    ...composed,
    report: { ...composed.report, text: result.note || composed.report.text },
    photos: result.photos,
    photoIds: [],
    voice: result.voice ?? null,
    voiceId: null,
  };
}
