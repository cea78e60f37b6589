/** Reads a plan's text; a slip is told by its line. Pure. */
export type ReadPlan = { plan: Record<string, unknown> } | { line: number; reason: string };

export function parsePlan(text: string): ReadPlan {
  try {
    const plan: unknown = JSON.parse(text);
    if (typeof plan !== "object" || plan === null || Array.isArray(plan)) return { line: 1, reason: "{ … }" };
    return { plan: plan as Record<string, unknown> };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const at = Number(/position (\d+)/.exec(reason)?.[1] ?? 0);
    return { line: text.slice(0, at).split("\n").length, reason };
  }
}
