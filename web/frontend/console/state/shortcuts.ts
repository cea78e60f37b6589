/** The keys of the console. Single letters keep quiet while somebody types. */
import { isTyping } from "@shared/ui/focus";
import { toggleLocale } from "@shared/i18n";
import { ref } from "vue";
import { muted } from "./sound";
import { queue } from "./incidents";
import { leftOpen } from "./layout";
import { picking } from "../map/pick";
import { closeReport, openReport, reportStart } from "./report_form";
import { select, selectedId } from "./selection";

export const helpOpen = ref(false);

function step(by: 1 | -1): void {
  const list = queue.value;
  if (!list.length) return;
  const at = list.findIndex((item) => item.id === selectedId.value);
  const next = at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + by));
  select(list[next]!.id);
}

function escape(): void {
  if (picking.value) picking.value = null;
  else if (reportStart.value) closeReport();
  else select(null);
}

const click = (selector: string) => document.querySelector<HTMLElement>(selector)?.click();

const KEYS: Record<string, () => void> = {
  n: () => openReport(),
  j: () => step(1),
  k: () => step(-1),
  "/": () => document.querySelector<HTMLElement>("#search")?.focus(),
  p: () => click("[data-primary]"),
  m: () => (muted.value = !muted.value),
  b: () => (leftOpen.value = !leftOpen.value),
  l: toggleLocale,
  "?": () => (helpOpen.value = true),
  Escape: escape,
};

export function installShortcuts(): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const typing = isTyping(event);
    if (typing) return;
    const run = KEYS[event.key] ?? KEYS[event.key.toLowerCase()];
    if (!run) return;
    event.preventDefault();
    run();
  });
}
