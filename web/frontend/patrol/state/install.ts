/** Putting the page on the phone's home screen. */
import { computed, shallowRef } from "vue";

/** What Chromium hands a page that may be installed; it is not in the DOM's own types. */
interface InstallPrompt extends Event {
  prompt(): Promise<void>;
}

const offered = shallowRef<InstallPrompt | null>(null);
export const canInstall = computed(() => offered.value !== null);
export const isInstalled = matchMedia("(display-mode: standalone)").matches;
export const isApple = /iPhone|iPad|iPod/.test(navigator.userAgent);

export function watchInstall(): void {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    offered.value = event as InstallPrompt;
  });
  addEventListener("appinstalled", () => (offered.value = null));
}

export async function install(): Promise<void> {
  await offered.value?.prompt();
  offered.value = null;
}
