/** Which response plan goes by a class at its usual severity: the rule of `best_match` in gridmap/domain/response.py. Pure. */
import type { Plan } from "@shared/api/response";

export interface PlanMatch {
  plan: Plan;
  /** Of the classes asked for, those it is for. */
  classes: string[];
}

function closeness(plan: Plan, classKey: string, severity: number): number {
  if (plan.retired || !plan.severities.includes(severity)) return 0;
  if (plan.classes.includes(classKey)) return 2;
  return plan.classes.includes(classKey.split(".")[0]!) ? 1 : 0;
}

/** One entry a plan, in the order of the classes; a class without a plan is in none. */
export function plansFor(asked: readonly { key: string; severity: number }[], plans: readonly Plan[]): PlanMatch[] {
  const found = new Map<Plan, string[]>();
  for (const { key, severity } of asked) {
    const [best] = plans
      .filter((plan) => closeness(plan, key, severity) > 0)
      .sort((a, b) => closeness(b, key, severity) - closeness(a, key, severity) || a.severities.length - b.severities.length || (a.key < b.key ? -1 : 1));
    if (best) found.set(best, [...(found.get(best) ?? []), key]);
  }
  return [...found].map(([plan, classes]) => ({ plan, classes }));
}
