/** Lets the page open in a lift: its files are kept on the phone by a service worker, data never is. */
export function registerShell(): void {
  if (!("serviceWorker" in navigator) || !window.isSecureContext) return;
  addEventListener("load", () => {
    navigator.serviceWorker.register("/patrol/worker.js", { scope: "/patrol" }).catch(() => undefined);
    void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage({ keep: performance.getEntriesByType("resource").map((entry) => entry.name) }));
  });
}
