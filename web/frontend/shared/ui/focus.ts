import type { Directive } from "vue";

/** v-focus: the field that a person will want to type into first. */
export const vFocus: Directive<HTMLElement> = {
  mounted: (element) => setTimeout(() => element.focus(), 0),
};

/** True while the person types text: single-key shortcuts keep quiet then. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement | null;
  if (!target || typeof target.closest !== "function") return false;
  return target.isContentEditable || target.closest("input, textarea, select, [role=dialog]") !== null;
}
