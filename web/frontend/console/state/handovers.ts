/** Handovers between seats: what waits for my signature stands at the top of the page. */
import { computed, effectScope, ref, shallowRef } from "vue";
import { type Handover, listHandovers } from "@shared/api/shifts";
import { can, me } from "@shared/auth/session";
import { onLive } from "@shared/live/client";

export const handovers = shallowRef<Handover[]>([]);
export const handoversFailed = ref(false);
const isMine = (one: Handover) => one.from_account_id === me.value?.account.id;
export const toSign = computed(() => handovers.value.filter((one) => one.status === "open" && !isMine(one)));
export const myHandover = computed(() => handovers.value.find((one) => one.status === "open" && isMine(one)) ?? null);

export async function reloadHandovers(): Promise<void> {
  try {
    handovers.value = (await listHandovers()).items;
    handoversFailed.value = false;
  } catch {
    handoversFailed.value = true;
  }
}

export function startHandovers(): void {
  if (!can("case.handle")) return;
  effectScope(true).run(() => {
    onLive("alarm", (event) => event.kind.includes("handover") && void reloadHandovers());
    onLive("resync", () => void reloadHandovers());
  });
  void reloadHandovers();
}
