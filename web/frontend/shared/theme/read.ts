/** The value of a colour token right now: for what is drawn on a canvas or the map. */
export function cssToken(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888888";
}
