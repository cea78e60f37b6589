/** Dragging a unit onto a case, or a case onto a unit, from a list or from the map. A press that moves is a drag. */
import { shallowRef } from "vue";

export interface Dragged {
  kind: "unit" | "incident";
  id: string;
  label: string;
}

export interface Dragging extends Dragged {
  x: number;
  y: number;
  /** What lies under the pointer and could take it. */
  over: string | null;
}

export const dragging = shallowRef<Dragging | null>(null);
/** A unit that was dropped on a case and waits for the seat's word. */
export const toSend = shallowRef<{ unitId: string; incidentId: string } | null>(null);

const START_PX = 6;
const WANTED = { unit: "incident", incident: "unit" } as const;

/** Set by the map: the id of the incident or unit that it shows at a place on the page. */
let onMap: (kind: "unit" | "incident", x: number, y: number) => string | null = () => null;
export function dropsOnMap(find: typeof onMap): void {
  onMap = find;
}

function targetAt(kind: "unit" | "incident", x: number, y: number): string | null {
  const element = document.elementFromPoint(x, y);
  const holder = element?.closest<HTMLElement>(`[data-${kind}]`);
  if (holder) return holder.dataset[kind] ?? null;
  return element?.closest(".map") ? onMap(kind, x, y) : null;
}

/** Call on mousedown. The click that ends a drag is swallowed: it chose nothing. */
export function beginDrag(event: MouseEvent, what: Dragged): void {
  if (event.button !== 0) return;
  const from = { x: event.clientX, y: event.clientY };
  const wanted = WANTED[what.kind];
  const move = (next: MouseEvent) => {
    if (!dragging.value && Math.hypot(next.clientX - from.x, next.clientY - from.y) < START_PX) return;
    next.preventDefault();
    dragging.value = { ...what, x: next.clientX, y: next.clientY, over: targetAt(wanted, next.clientX, next.clientY) };
  };
  const stop = () => {
    removeEventListener("mousemove", move);
    removeEventListener("mouseup", drop);
    removeEventListener("keydown", leave, true);
    dragging.value = null;
  };
  const drop = () => {
    const held = dragging.value;
    stop();
    if (!held) return;
    const swallow = (click: Event) => (click.stopPropagation(), click.preventDefault());
    addEventListener("click", swallow, { capture: true, once: true });
    // A drag that ends on another element than it began on is followed by no click.
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
    if (held.over) toSend.value = held.kind === "unit" ? { unitId: held.id, incidentId: held.over } : { unitId: held.over, incidentId: held.id };
  };
  const leave = (key: KeyboardEvent) => {
    if (key.key !== "Escape") return;
    key.stopPropagation();
    stop();
  };
  addEventListener("mousemove", move);
  addEventListener("mouseup", drop);
  addEventListener("keydown", leave, true);
}
