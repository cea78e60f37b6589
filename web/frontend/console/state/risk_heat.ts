/** The risk heat over the console's map: the newest forecast of the coming week, else of whatever horizon there is. */
import { useStorage } from "@vueuse/core";
import { computed, shallowRef, watch } from "vue";
import { getSurface, type LegendStep, listRuns, pictureUrl, type RiskRun } from "@shared/api/risk";
import { can } from "@shared/auth/session";
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
export const heatMissing = shallowRef(false);
export const heatLegend = computed(() => (riskHeatOn.value ? (heats.value[0]?.legend ?? []) : []));

/** One run a county: everybody sees those in their own sight. */
async function load(): Promise<void> {
  const chosen = new Map<number, RiskRun>();
  for (const run of (await listRuns()).items) {
    const known = chosen.get(run.area_id);
    if (!known || (known.horizon !== WANTED && run.horizon === WANTED)) chosen.set(run.area_id, run);
  }
  const found = await Promise.all([...chosen.values()].map(async (run) => ({ run, surface: await getSurface(run.id, GROUP) })));
  heats.value = found.flatMap(({ run, surface }) => (surface.bounds && surface.legend ? [{ url: pictureUrl(run.id, GROUP, "forecast"), bounds: surface.bounds, legend: surface.legend, run }] : []));
  heatMissing.value = heats.value.length === 0;
}

export function startRiskHeat(): void {
  watch(riskHeatOn, (on) => on && can("risk.read") && void load().catch(showError), { immediate: true });
}
