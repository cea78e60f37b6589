/** What every signed-in page needs before it is shown. */
import { VueQueryPlugin, QueryClient } from "@tanstack/vue-query";
import { type Component, createApp } from "vue";
import { ApiError } from "./api/client";
import { me, requireSession } from "./auth/session";
import PasswordDialog from "./auth/PasswordDialog.vue";
import { i18n } from "./i18n";
import { connectLive } from "./live/client";
import { loadVocab } from "./vocab";
import "./theme/theme";
import "./theme/base.css";
import WaitingRoom from "./ui/WaitingRoom.vue";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
});

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A password that somebody else set opens nothing but the form that replaces it. */
async function changePasswordFirst(): Promise<void> {
  const holder = document.body.appendChild(document.createElement("div"));
  await new Promise<void>((done) => {
    const form = createApp(PasswordDialog, { isForced: true, onClose: () => (form.unmount(), done()) });
    form.use(i18n).mount(holder);
  });
  holder.remove();
}

async function waitForServer(): Promise<void> {
  for (;;) {
    try {
      const { account } = await requireSession();
      if (account.must_change_password) {
        await changePasswordFirst();
        continue;
      }
      await loadVocab();
      return;
    } catch (error) {
      // Signed out: the browser is on its way to the log-in page. Anything else: keep knocking.
      if (error instanceof ApiError && error.status === 401) await pause(60_000);
      await pause(3000);
    }
  }
}

/** Signs in, loads the vocabularies, opens the live feed and shows the page. */
export async function openPage(root: Component, options: { live: boolean; sharedFeed?: boolean }): Promise<void> {
  const waiting = createApp(WaitingRoom).use(i18n);
  waiting.mount("#app");
  await waitForServer();
  waiting.unmount();
  createApp(root).use(i18n).use(VueQueryPlugin, { queryClient: queries }).mount("#app");
  if (options.live && me.value) connectLive(me.value.account.id, options.sharedFeed);
}
