/** What the page shows: the words, the runs, and of the run looked at its surface, list and outlines. */
import { useQuery } from "@tanstack/vue-query";
import { computed, watch } from "vue";
import { getOutlines, getRiskWords, getSurface, listJobs, listRiskAreas, listRuns } from "@shared/api/risk";
import { can } from "@shared/auth/session";
import { view } from "./state";

const POLL_BUSY_MS = 4_000;
const POLL_IDLE_MS = 60_000;

export interface RunArea {
  id: number;
  name: string;
  /** Only the lines inside the reader's own grants are told of it. */
  is_part: boolean;
}

export function useRisk() {
  const allowed = can("risk.read");
  const words = useQuery({ queryKey: ["risk", "words"], queryFn: getRiskWords, enabled: allowed, staleTime: Infinity });
  const jobs = useQuery({
    queryKey: ["risk", "jobs"], queryFn: listJobs, enabled: allowed,
    refetchInterval: (query) => (query.state.data?.items.some((job) => job.status !== "failed") ? POLL_BUSY_MS : POLL_IDLE_MS),
  });
  const busy = computed(() => (jobs.data.value?.items ?? []).filter((job) => job.status !== "failed"));
  const runs = useQuery({ queryKey: ["risk", "runs"], queryFn: listRuns, enabled: allowed, refetchInterval: POLL_IDLE_MS });
  watch(() => busy.value.length, () => void runs.refetch());

  const all = computed(() => runs.data.value?.items ?? []);
  const areas = computed(() => [...new Map<number, RunArea>(all.value.map((run) => [run.area_id, { id: run.area_id, name: run.area_name, is_part: run.is_part }])).values()]);
  const area = computed(() => areas.value.find((one) => one.id === view.area)?.id ?? areas.value[0]?.id ?? null);
  /** One run an origin, the one made last; oldest first. */
  const history = computed(() => {
    const newest = new Map<string, (typeof all.value)[number]>();
    for (const run of all.value) if (run.area_id === area.value && run.horizon === view.horizon && !newest.has(run.origin_on)) newest.set(run.origin_on, run);
    return [...newest.values()].sort((a, b) => (a.origin_on < b.origin_on ? -1 : 1));
  });
  const run = computed(() => history.value.find((one) => one.origin_on === view.origin) ?? history.value.at(-1) ?? null);
  const runId = computed(() => run.value?.id ?? "");
  const isOpen = computed(() => runId.value !== "");
  /** What a run says stays, until what came is counted beside it. */
  const told = computed(() => [runId.value, run.value?.outcome_at ?? ""]);
  const surface = useQuery({ queryKey: computed(() => ["risk", "surface", ...told.value, view.group]), queryFn: () => getSurface(runId.value, view.group), enabled: isOpen, staleTime: Infinity });
  const list = useQuery({ queryKey: computed(() => ["risk", "list", ...told.value, view.group, view.level]), queryFn: () => listRiskAreas(runId.value, view.group, view.level), enabled: isOpen, staleTime: Infinity });
  const outlines = useQuery({ queryKey: computed(() => ["risk", "outlines", runId.value, view.group, view.level]), queryFn: () => getOutlines(runId.value, view.group, view.level), enabled: isOpen, staleTime: Infinity });
  const rows = computed(() => list.data.value?.items ?? []);
  const picked = computed(() => rows.value.find((row) => row.area_id === view.picked) ?? null);
  return { words: words.data, wordsError: words.error, refreshJobs: jobs.refetch, jobs: jobs.data, busy, runs, areas, area, history, run, surface: surface.data, surfaceError: surface.error, list, rows, outlines: outlines.data, picked };
}
export type Risk = ReturnType<typeof useRisk>;
