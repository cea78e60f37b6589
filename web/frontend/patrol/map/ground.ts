/**
 * The base map around the job, kept on the phone: a reload without a line shows it. It holds nothing of any case, is bounded
 * by size and age, and goes with the end of duty or the account.
 */
import type { AddProtocolAction } from "maplibre-gl";
import { alongLine, isNear, type Kept, type Place, surplus, tileOf, tilesAhead } from "./ground_plan";

/** The service worker knows this name too: it leaves this cache alone, and empties it at the log-out. */
const GROUND = "gridmap-ground-1";
const KEPT_AT = "X-Kept-At";
const SIZE = "X-Size";
const SWEEP_AFTER = 20;

let places: readonly Place[] = [];
let load: AddProtocolAction | null = null;
/** The tile address of each map file that was opened, and how deep it goes. */
const files = new Map<string, number>();
let puts = 0;

const keyOf = (url: string) => `/patrol/ground/${encodeURIComponent(url)}`;
const canKeep = () => "caches" in globalThis;

async function keep(url: string, body: BlobPart, size: number): Promise<void> {
  const cache = await caches.open(GROUND);
  await cache.put(keyOf(url), new Response(new Blob([body]), { headers: { [KEPT_AT]: String(Date.now()), [SIZE]: String(size) } }));
  if (++puts % SWEEP_AFTER === 0) await sweep();
}

async function listKept(cache: Cache): Promise<Kept[]> {
  const list: Kept[] = [];
  for (const request of await cache.keys()) {
    const found = await cache.match(request);
    if (found?.headers.has(KEPT_AT)) list.push({ key: request.url, at: Number(found.headers.get(KEPT_AT)), size: Number(found.headers.get(SIZE)) });
  }
  return list;
}

async function sweep(): Promise<void> {
  const cache = await caches.open(GROUND);
  for (const key of surplus(await listKept(cache), Date.now())) await cache.delete(key);
}

/** Around `loaded`: what comes in near the job is kept, and stands in where nothing comes in. */
export function withGround(loaded: AddProtocolAction): AddProtocolAction {
  if (!canKeep()) return loaded;
  const keeping: AddProtocolAction = async (params, controller) => {
    const tile = tileOf(params.url);
    try {
      const answer = await loaded(params, controller);
      if (params.type === "json") {
        const { tiles, maxzoom } = answer.data as { tiles?: string[]; maxzoom?: number };
        if (tiles?.[0]) files.set(tiles[0], maxzoom ?? 14);
        const text = JSON.stringify(answer.data);
        await keep(params.url, text, text.length).catch(() => undefined);
        void ahead();
      } else if (tile && answer.data && isNear(tile, places)) {
        // A copy: the map takes the bytes over into its worker.
        const bytes = new Uint8Array(answer.data as Uint8Array<ArrayBuffer>).slice();
        await keep(params.url, bytes, bytes.byteLength).catch(() => undefined);
      }
      return answer;
    } catch (error) {
      if (controller.signal.aborted) throw error;
      const kept = await (await caches.open(GROUND)).match(keyOf(params.url));
      if (!kept) throw error;
      return { data: params.type === "json" ? await kept.json() : new Uint8Array(await kept.arrayBuffer()) };
    }
  };
  load = keeping;
  return keeping;
}

/** Fetches what lies around the job and is not kept yet. */
async function ahead(): Promise<void> {
  const wanted = places;
  if (!load || !wanted.length || !navigator.onLine) return;
  const cache = await caches.open(GROUND);
  for (const [address, maxZoom] of files) {
    for (const { z, x, y } of tilesAhead(wanted, maxZoom)) {
      const url = address.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
      if (await cache.match(keyOf(url))) continue;
      // Another job meanwhile, or no line any more: what is left is of no use or cannot be had.
      if (places !== wanted) return;
      try {
        await load({ url, type: "arrayBuffer" }, new AbortController());
      } catch {
        return;
      }
    }
  }
  await sweep();
}

/** Where the job is and how one gets there; nothing more is kept while there is none. */
export function keepGroundAround(scene: Place | null, way: readonly (readonly number[])[] = []): void {
  const next = scene ? [scene, ...alongLine(way)] : [];
  if (JSON.stringify(next) === JSON.stringify(places)) return;
  places = next;
  if (canKeep()) void ahead();
}

/** The end of duty, or another person's phone: where somebody was sent stays on it no longer. */
export async function forgetGround(): Promise<void> {
  places = [];
  if (canKeep()) await caches.delete(GROUND);
}
