/** The plan in hand: which one, from which version, what was changed, and what the server says of it while it is written. */
import { useQuery } from "@tanstack/vue-query";
import { useDebounceFn } from "@vueuse/core";
import { computed, ref, shallowRef, watch } from "vue";
import { ApiError } from "@shared/api/client";
import { checkPlan, listPlanVersions, type PlanFault, publishPlan } from "@shared/api/plans";
import { listPlans, type Plan } from "@shared/api/response";
import { type MessageKey, nameFrom, t } from "@shared/i18n";
import { queries } from "@shared/page";
import { errorText, showError } from "@shared/ui/errors";
import { toast } from "@shared/ui/toasts";
import { emptyPlan, isSame, type PlanBody, type PlanDraft, toBody, toDraft } from "./plan_draft";

const CHECK_AFTER_MS = 350;
/** While it has no key that could stand in an address, it is checked under this one. */
const NO_KEY = "new";

function faultsOf(error: unknown): PlanFault[] | undefined {
  return error instanceof ApiError && error.code === "plan_broken" && Array.isArray(error.params.faults) ? (error.params.faults as PlanFault[]) : undefined;
}

export function usePlanEditor() {
  const { data: plans, error } = useQuery({ queryKey: ["plans"], queryFn: listPlans, staleTime: 0 });
  const key = ref<string | null>(null);
  const { data: versions } = useQuery({
    queryKey: computed(() => ["plan-versions", key.value]),
    queryFn: () => listPlanVersions(key.value!),
    enabled: computed(() => key.value !== null),
    staleTime: 0,
  });
  const shown = ref<number | null>(null);
  const draft = ref<PlanDraft | null>(null);
  const isNew = ref(false);
  /** What a new plan began with: empty, or a copy. */
  const begun = shallowRef<PlanDraft>(emptyPlan());
  /** Of a new plan nothing is marked before somebody wanted to publish it. */
  const isMarked = ref(false);
  const checked = shallowRef<Plan | null>(null);
  const found = shallowRef<PlanFault[]>([]);
  const newest = computed(() => (isNew.value ? undefined : versions.value?.items[0]));
  const version = computed(() => versions.value?.items.find((one) => one.version === shown.value) ?? newest.value);
  const isChanged = computed(() => draft.value !== null && (isNew.value || (newest.value !== undefined && !isSame(draft.value, toDraft(newest.value.body)))));
  const asFound = () => (isNew.value ? toDraft(toBody(begun.value)) : version.value && toDraft(version.value.body));
  const isTouched = computed(() => {
    const before = asFound();
    return draft.value !== null && before !== undefined && !isSame(draft.value, before);
  });
  const taken = computed(() => isNew.value && (plans.value?.items.some((one) => one.key === draft.value?.key.trim()) ?? false));
  const faults = computed<PlanFault[]>(() => (taken.value ? [{ field: "key", code: "key_taken", params: {} }, ...found.value] : found.value));
  const marked = computed(() => (isMarked.value || !isNew.value ? faults.value : []));

  let asked = 0;
  async function checkNow(): Promise<void> {
    if (!draft.value) return;
    const body = toBody(draft.value);
    const turn = ++asked;
    try {
      const plan = await checkPlan(String(body.key) || NO_KEY, body);
      if (turn === asked) [checked.value, found.value] = [plan, []];
    } catch (refusal) {
      if (turn !== asked) return;
      checked.value = null;
      found.value = faultsOf(refusal) ?? [];
      if (!faultsOf(refusal)) showError(refusal);
    }
  }
  const check = useDebounceFn(checkNow, CHECK_AFTER_MS);

  watch(version, (now) => !isNew.value && now && (draft.value = toDraft(now.body)));
  watch(draft, () => {
    checked.value = null;
    void check();
  }, { deep: true });

  function begin(next: PlanDraft): void {
    key.value = null;
    isNew.value = true;
    isMarked.value = false;
    found.value = [];
    begun.value = toDraft(toBody(next));
    draft.value = next;
  }

  function choose(next: string): void {
    isNew.value = false;
    shown.value = null;
    if (key.value === next) reset();
    else draft.value = null;
    key.value = next;
    if (version.value) draft.value = toDraft(version.value.body);
  }

  function reset(): void {
    const before = asFound();
    if (before) draft.value = before;
  }

  function copy(): void {
    if (!draft.value) return;
    const { key: from, zh, en } = draft.value;
    const name = nameFrom("plan_edit.copy_name", { zh: { name: zh }, en: { name: en } });
    begin({ ...toDraft(toBody(draft.value)), key: `${from}_copy`.slice(0, 40), ...name, retired: false });
  }

  async function write(body: PlanBody, said: MessageKey): Promise<boolean> {
    try {
      const made = await publishPlan(String(body.key), body, newest.value?.version ?? 0);
      toast({ tone: "good", text: t(said, { n: made.version }) });
      await Promise.all([queries.invalidateQueries({ queryKey: ["plans"] }), queries.invalidateQueries({ queryKey: ["plan-versions", made.key] })]);
      isNew.value = false;
      shown.value = null;
      key.value = made.key;
      if (version.value) draft.value = toDraft(version.value.body);
      return true;
    } catch (refusal) {
      const told = faultsOf(refusal);
      if (told) found.value = told;
      else toast({ tone: "bad", text: errorText(refusal) });
      return false;
    }
  }

  const publish = () => (draft.value ? write(toBody(draft.value), "plans_page.published") : Promise.resolve(false));
  /** Out of use or back, by what is in use now; what is being written is left aside. */
  const setRetired = (retired: boolean) =>
    newest.value
      ? write(toBody({ ...toDraft(newest.value.body), retired }), retired ? "plan_edit.retire_done" : "plan_edit.restore_done")
      : Promise.resolve(false);

  return {
    plans, error, key, versions, shown, version, newest, draft, isNew, isMarked, checked, faults, marked, isChanged, isTouched,
    checkNow, begin, choose, reset, copy, publish, setRetired,
  };
}
