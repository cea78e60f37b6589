/** Whether this screen is the wall: always for an account that may only count, by choice for who reads cases. */
import { computed, ref } from "vue";
import { can } from "@shared/auth/session";

const asked = ref(new URLSearchParams(location.search).has("wall"));
export const canLeaveWall = computed(() => can("case.read"));
export const wallMode = computed(() => (can("case.read") ? asked.value : can("case.wall")));

export function showWall(on: boolean): void {
  const url = new URL(location.href);
  if (on) url.searchParams.set("wall", "1");
  else url.searchParams.delete("wall");
  history.replaceState(null, "", url);
  asked.value = on;
}
