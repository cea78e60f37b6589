/** Units on duty: loaded once, moved by one delta a second. */
import { useThrottleFn } from "@vueuse/core";
import { effectScope, shallowRef, triggerRef } from "vue";
import { listUnits, type Unit } from "@shared/api/units";
import { onLive } from "@shared/live/client";
import type { UnitDelta } from "@shared/live/events";

export const units = shallowRef(new Map<string, Unit>());

/** A unit that the list never names must not make us ask every second. */
const ASK_AGAIN_MS = 10_000;
let askedAt = 0;
/** Units that moved before a list named them. Each is asked for at once: it may not move again. */
const askedFor = new Set<string>();

export async function reloadUnits(): Promise<void> {
  askedAt = Date.now();
  try {
    const { items } = await listUnits();
    units.value = new Map(items.map((unit) => [unit.id, unit]));
    for (const { id } of items) askedFor.delete(id);
  } catch {
    // The connection badge says it; the next delta or resync tries again.
  }
}

/** A change of shift moves hundreds at once: one list answers them all. */
const soon = useThrottleFn(() => void reloadUnits(), 3_000, true);

function applyDeltas(items: UnitDelta[]): void {
  const unknown: string[] = [];
  for (const [id, lon, lat, status, fixed_at] of items) {
    const unit = units.value.get(id);
    if (unit) Object.assign(unit, { lon, lat, status, fixed_at });
    else unknown.push(id);
  }
  triggerRef(units);
  const isNew = unknown.some((id) => !askedFor.has(id));
  for (const id of unknown) askedFor.add(id);
  if (isNew) soon();
  else if (unknown.length > 0 && Date.now() - askedAt > ASK_AGAIN_MS) void reloadUnits();
}

export function startUnits(): void {
  effectScope(true).run(() => {
    onLive("units", (event) => applyDeltas(event.items));
    onLive("unit", soon);
    onLive("dispatch", soon);
    onLive("resync", () => void reloadUnits());
  });
  void reloadUnits();
}
