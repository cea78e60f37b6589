/** The risk heat over the console's map: the newest forecast of the coming week, else of whatever horizon still runs. */
import { useStorage } from "@vueuse/core";
import { computed, shallowRef, watch } from "vue";
import { getSurface, type LegendStep, listRuns, pictureUrl, type RiskRun } from "@shared/api/risk";
import { can } from "@shared/auth/session";
import { localInput } from "@shared/format/time";
import { showError } from "@shared/ui/errors";

export interface Heat {
  url: string;
  bounds: readonly [number, number, number, number];
  legend: LegendStep[];
  run: RiskRun;
}

const WANTED = "week";
const GROUP = "all";
export const riskHeatOn = useStorage("gridmap.risk_heat", false);
export const heats = shallowRef<Heat[]>([]);
/** Why nothing lies there: no forecast that still runs, or only a part of one is the reader's, which has no heat. */
export const heatMissing = shallowRef<"none" | "part" | null>(null);
export const heatRun = computed(() => (riskHeatOn.value ? (heats.value[0]?.run ?? null) : null));
export const heatLegend = computed(() => (riskHeatOn.value ? (heats.value[0]?.legend ?? []) : []));

const DAY_MS = 86_400_000;
/** A run that looks back, or that is over, says nothing of the days to come. */
const stillRuns = (run: RiskRun) => !run.looks_back && Date.parse(run.origin_on) + run.horizon_days * DAY_MS > Date.parse(localInput(Date.now()).slice(0, 10));

/** One run a county: everybody sees those in their own sight. */
async function load(): Promise<void> {
  const runs = (await listRuns()).items.filter(stillRuns);
  const chosen = new Map<number, RiskRun>();
  for (const run of runs.filter((one) => !one.is_part)) {
    const known = chosen.get(run.area_id);
    if (!known || (known.horizon !== WANTED && run.horizon === WANTED)) chosen.set(run.area_id, run);
  }
  const found = await Promise.all([...chosen.values()].map(async (run) => ({ run, surface: await getSurface(run.id, GROUP) })));
  heats.value = found.flatMap(({ run, surface }) => (surface.bounds && surface.legend ? [{ url: pictureUrl(run.id, GROUP, "forecast"), bounds: surface.bounds, legend: surface.legend, run }] : []));
  heatMissing.value = heats.value.length ? null : runs.some((run) => run.is_part) ? "part" : "none";
}

export function startRiskHeat(): void {
  watch(riskHeatOn, (on) => on && can("risk.read") && void load().catch(showError), { immediate: true });
}
