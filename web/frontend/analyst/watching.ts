/** Warnings that rang, the rules behind them, what is silent, and the inspections that came of it all. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/vue-query";
import { computed, ref } from "vue";
import { acknowledgeAlarm } from "@shared/api/alarms";
import { askInspection, cancelInspection, endMute, finishInspection, listInspections, listMutes, listRules, listRung, muteRule, type Rung, warningToTask } from "@shared/api/risk";
import { can } from "@shared/auth/session";
import { t } from "@shared/i18n";
import { errorText } from "@shared/ui/errors";
import { toast } from "@shared/ui/toasts";

const POLL_MS = 30_000;

export function useWatching() {
  const allowed = can("risk.read");
  const rung = useQuery({ queryKey: ["risk", "rung"], queryFn: listRung, enabled: allowed, refetchInterval: POLL_MS });
  const rules = useQuery({ queryKey: ["risk", "rules"], queryFn: listRules, enabled: allowed, refetchInterval: POLL_MS * 10 });
  const mutes = useQuery({ queryKey: ["risk", "mutes"], queryFn: listMutes, enabled: allowed, refetchInterval: POLL_MS });
  const standing = computed(() => (rung.data.value?.items ?? []).filter((one) => one.status === "raised").length);
  return { rung, rules, mutes, standing };
}

export const withFinished = ref(false);
export function useInspections() {
  return useQuery({ queryKey: computed(() => ["risk", "inspections", withFinished.value]), queryFn: () => listInspections(withFinished.value), enabled: can("risk.read"), refetchInterval: POLL_MS });
}


/** Runs a verb: what it changed is read anew, what it did is said with a way back, why it was refused too. */
export function useVerbs() {
  const queries = useQueryClient();
  const { isPending: working, mutateAsync } = useMutation({ mutationFn: (verb: () => Promise<unknown>) => verb() });
  const refresh = () => queries.invalidateQueries({ queryKey: ["risk"], predicate: ({ queryKey }) => ["rung", "rules", "mutes", "inspections"].includes(String(queryKey[1])) });

  async function run<T>(verb: () => Promise<T>, done: string, undo?: (made: T) => Promise<unknown>): Promise<boolean> {
    try {
      const made = (await mutateAsync(verb)) as T;
      toast({ tone: "good", text: done, action: undo && { label: t("common.undo"), run: () => void run(() => undo(made), t("risk.undone")) } });
      return true;
    } catch (error) {
      toast({ tone: "bad", text: errorText(error) });
      return false;
    } finally {
      void refresh();
    }
  }
  const takeBack = ({ id }: { id: string }) => cancelInspection(id, t("risk.why_undone"));

  return {
    working,
    acknowledge: (rung: Rung) => run(() => acknowledgeAlarm(rung.id), t("warn.acknowledged")),
    toTask: (rung: Rung, note: string) => run(() => warningToTask(rung.id, note), t("risk.inspect_done"), takeBack),
    inspect: (body: Parameters<typeof askInspection>[0]) => run(() => askInspection(body), t("risk.inspect_done"), takeBack),
    finish: (id: string, result: string) => run(() => finishInspection(id, result), t("inspection.finished")),
    cancel: (id: string, reason: string) => run(() => cancelInspection(id, reason), t("inspection.cancelled")),
    /** The silence's own id is known once the list is read: of those it could be, the one that ends last. */
    mute: (rule: string, body: { area_id: number; hours: number; reason: string }) =>
      run(
        () => muteRule(rule, body),
        t("warn.muted"),
        async () => {
          const mine = (await listMutes()).items.filter((one) => one.rule === rule && one.area_id === body.area_id && one.can_end).at(-1);
          return mine && endMute(mine.id);
        },
      ),
    unmute: (id: string) => run(() => endMute(id), t("warn.unmuted")),
  };
}
export type Watching = ReturnType<typeof useWatching>;
