/** The sentences of a plan's faults, each at its field: the form provides them, every field asks for its own. */
import { inject, type InjectionKey, provide, type Ref } from "vue";
import type { PlanFault } from "@shared/api/plans";
import { findText, t } from "@shared/i18n";

export type SentenceAt = (field: string) => string | undefined;
const KEY: InjectionKey<SentenceAt> = Symbol("faults of the plan");

export const sentenceOf = (fault: PlanFault): string => findText(`plan_fault.${fault.code}`, fault.params) ?? t("plan_fault.wrong_form");

export function provideFaults(faults: Ref<readonly PlanFault[]>): void {
  provide(KEY, (field) => {
    const found = faults.value.find((fault) => fault.field === field);
    return found && sentenceOf(found);
  });
}

export const useFaults = (): SentenceAt => inject(KEY, () => undefined);
/** The id of a field's sentence, for aria-describedby. */
export const sentenceId = (field: string): string => `fault-${field.replaceAll(".", "-")}`;
