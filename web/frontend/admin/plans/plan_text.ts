/** Reads a plan's text. Pure. */
export type ReadPlan = { plan: Record<string, unknown> } | { reason: string };

/** The reason of a slip is the browser's own: it quotes the place. */
export function parsePlan(text: string): ReadPlan {
  try {
    const plan: unknown = JSON.parse(text);
    if (typeof plan !== "object" || plan === null || Array.isArray(plan)) return { reason: "{ … }" };
    return { plan: plan as Record<string, unknown> };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** The order in which a plan is written; what the database keeps has none. */
const ORDER = ["key", "name", "zh", "en", "classes", "severities", "auto", "tell", "mode", "need", "capability", "unit_kind", "count", "fence", "level", "step"];
const rank = (key: string) => (ORDER.includes(key) ? ORDER.indexOf(key) : ORDER.length);

export function planText(body: Record<string, unknown>): string {
  const sorted = (_key: string, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => rank(a) - rank(b))) : value;
  return JSON.stringify(body, sorted, 2);
}
