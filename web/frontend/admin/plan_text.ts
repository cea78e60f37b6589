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
