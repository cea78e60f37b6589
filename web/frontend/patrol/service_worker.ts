/**
 * Keeps the page's own files on the phone, so that it opens in a lift, and who is signed in with the vocabularies and the
 * map's style, so that it can be used there. Cases, positions and pictures are never kept here; the map's tiles around
 * the job are kept by the page itself.
 */
// Only what is used here: the whole worker library would clash with the page's own types.
interface WorkerEvent extends Event {
  readonly request: Request;
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
}
interface MessageToWorker extends WorkerEvent {
  readonly data: { keep?: string[] } | null;
}
interface WorkerScope {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(name: "install" | "activate" | "fetch", handler: (event: WorkerEvent) => void): void;
  addEventListener(name: "message", handler: (event: MessageToWorker) => void): void;
}
const worker = self as unknown as WorkerScope;

const FILES = "gridmap-files-1";
const WHO = "gridmap-who-1";
/** Filled by the page: see map/ground.ts. */
const GROUND = "gridmap-ground-1";
const STYLE = "/api/basemap/style.json";
const PAGE = "/patrol";
const NEEDED_OFFLINE = ["/api/me", "/api/vocab"];
const ASSETS = "/static/dist/assets/";
/** A line that is there but dead must not keep the page waiting. */
const PATIENCE_MS = 4_000;

worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(forgetOldCaches().then(() => worker.clients.claim())));

async function forgetOldCaches(): Promise<void> {
  for (const name of await caches.keys()) if (![FILES, WHO, GROUND].includes(name)) await caches.delete(name);
}

async function fromCacheFirst(request: Request): Promise<Response> {
  const cache = await caches.open(FILES);
  const kept = await cache.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** The page measures its clock by the date of answers: that of a kept one is of another day. */
function withoutDate(kept: Response): Response {
  const headers = new Headers(kept.headers);
  headers.delete("Date");
  return new Response(kept.body, { status: kept.status, statusText: kept.statusText, headers });
}

async function forgetAccount(): Promise<void> {
  await Promise.all([WHO, GROUND].map((name) => caches.delete(name)));
}

async function fromNetworkFirst(request: Request, cacheName: string): Promise<Response> {
  const cache = await caches.open(cacheName);
  const { pathname, search } = new URL(request.url);
  const key = pathname === STYLE ? pathname + search : pathname;
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.ok) await cache.put(key, answer.clone());
    // Signed out: what was kept of the account goes.
    else if (answer.status === 401) await forgetAccount();
    return answer;
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return withoutDate(kept);
    throw error;
  }
}

/** The very first page was loaded before this worker: what it tells is fetched once more and kept. */
async function keep(addresses: readonly string[]): Promise<void> {
  const pathOf = (address: string) => new URL(address, worker.location.origin).pathname;
  const own = addresses.filter((address) => pathOf(address).startsWith(ASSETS));
  const styles = addresses.filter((address) => pathOf(address) === STYLE);
  const tries = [
    ...own.map((address) => fromCacheFirst(new Request(address))),
    fromNetworkFirst(new Request(PAGE), FILES),
    ...styles.map((address) => fromNetworkFirst(new Request(address), WHO)),
    ...NEEDED_OFFLINE.map((address) => fromNetworkFirst(new Request(address), WHO)),
  ];
  await Promise.allSettled(tries);
}

worker.addEventListener("message", (event) => event.data?.keep && event.waitUntil(keep(event.data.keep)));

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== worker.location.origin) return;
  if (event.request.method === "POST" && url.pathname === "/api/logout") {
    event.waitUntil(forgetAccount());
    return;
  }
  if (event.request.method !== "GET") return;
  if (url.pathname.startsWith(ASSETS)) event.respondWith(fromCacheFirst(event.request));
  else if (url.pathname === PAGE) event.respondWith(fromNetworkFirst(event.request, FILES));
  else if (NEEDED_OFFLINE.includes(url.pathname) || url.pathname === STYLE) event.respondWith(fromNetworkFirst(event.request, WHO));
});

export {};
