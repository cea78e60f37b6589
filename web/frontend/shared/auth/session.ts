/** Who is signed in, and what the deployment is; loaded once before a page is shown. */
import { computed, shallowRef } from "vue";
import { getMe, logout, type Me } from "../api/auth";
import { setCsrfToken, whenSignedOut } from "../api/client";
import { setTimeZone } from "../format/time";

const current = shallowRef<Me | null>(null);
export const me = computed(() => current.value);

export function adopt(next: Me): void {
  current.value = next;
  setCsrfToken(next.csrf);
  setTimeZone(next.deployment.timezone);
}

export function can(verb: string): boolean {
  return current.value?.verbs.includes(verb) ?? false;
}

let leaving = false;
/** To the log-in page, which comes back here afterwards. */
export function goToLogin(): void {
  if (leaving) return;
  leaving = true;
  const here = location.pathname + location.search + location.hash;
  location.assign(`/login?next=${encodeURIComponent(here)}`);
}

/** Loads the account or leaves for the log-in page; throws `Unreachable` when there is no server. */
export async function requireSession(): Promise<Me> {
  whenSignedOut(goToLogin);
  const found = await getMe();
  adopt(found);
  return found;
}

export async function signOut(): Promise<void> {
  await logout();
  current.value = null;
  location.assign("/login");
}
