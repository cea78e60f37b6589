/** The page's end of the live feed: a state to show, and handlers per event. */
import { onScopeDispose, readonly, ref } from "vue";
import type { LiveEventName, LiveEvents, LiveState, ToPage, ToWorker } from "./events";
import { LiveStream } from "./stream";

const state = ref<LiveState>("connecting");
const since = ref(Date.now());
export const liveState = readonly(state);
export const liveSince = readonly(since);

type Handler<N extends LiveEventName> = (data: LiveEvents[N]) => void;
const handlers = new Map<LiveEventName, Set<Handler<never>>>();

/** Calls `handler` for each event of that name until the component that asked is gone. */
export function onLive<N extends LiveEventName>(name: N, handler: Handler<N>): void {
  const set = handlers.get(name) ?? new Set<Handler<never>>();
  handlers.set(name, set);
  set.add(handler as Handler<never>);
  onScopeDispose(() => set.delete(handler as Handler<never>), true);
}

function dispatch(name: LiveEventName, data: unknown): void {
  for (const handler of handlers.get(name) ?? []) (handler as Handler<LiveEventName>)(data as never);
}

let wasLive = false;
function setState(next: LiveState): void {
  // A page that missed nothing is told nothing; after a gap the server sends resync itself when it cannot resume.
  if (next === "live") wasLive = true;
  if (next === "connecting" && wasLive) return;
  // What is shown is how long nothing was heard, whatever the stages in between are called.
  if (state.value !== next && (next === "live" || state.value === "live")) since.value = Date.now();
  state.value = next;
}

let retry: () => void = () => {};
export const retryLive = () => retry();

function connectShared(account: string): void {
  const worker = new SharedWorker(new URL("./shared_worker.ts", import.meta.url), { type: "module", name: "gridmap-live" });
  const say = (message: ToWorker) => worker.port.postMessage(message);
  worker.port.addEventListener("message", (event: MessageEvent<ToPage>) => {
    if (event.data.type === "state") setState(event.data.state);
    else dispatch(event.data.name, event.data.data);
  });
  worker.addEventListener("error", () => connectDirect(), { once: true });
  worker.port.start();
  say({ type: "start", account });
  retry = () => say({ type: "retry" });
  addEventListener("pagehide", () => say({ type: "bye" }));
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

function connectDirect(): void {
  const stream = new LiveStream({ onState: setState, onEvent: dispatch });
  stream.start();
  retry = () => stream.retryNow();
}

/** Opens the feed once per page; shared between tabs where the browser can. */
export function connectLive(account: string, shared = typeof SharedWorker === "function"): void {
  if (shared) connectShared(account);
  else connectDirect();
  addEventListener("online", () => retry());
}
