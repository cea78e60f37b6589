/** Lets the page open in a lift: its files are kept on the phone by a service worker, data never is. */
export function registerShell(): void {
  if (!canKeep()) return;
  // The type alone comes in a hundred parts: the usual 250 entries would not hold them and the page's own files.
  performance.setResourceTimingBufferSize(1_000);
  addEventListener("load", () => {
    navigator.serviceWorker.register("/patrol/worker.js", { scope: "/patrol" }).catch(() => undefined);
    keepSeen();
  });
}

const canKeep = () => "serviceWorker" in navigator && window.isSecureContext;

/** At the first visit the worker comes too late to see what the page fetched: it is told, and once more by what came later. */
export function keepSeen(...more: string[]): void {
  if (!canKeep()) return;
  void navigator.serviceWorker.ready.then(({ active }) => active?.postMessage({ keep: [...performance.getEntriesByType("resource").map((entry) => entry.name), ...more] }));
}
