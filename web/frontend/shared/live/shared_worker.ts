/** One stream for all tabs of a browser: HTTP/1.1 allows six connections to a host. */
import { LiveStream } from "./stream";
import type { LiveState, ToPage, ToWorker } from "./events";

const ports = new Set<MessagePort>();
let account = "";
let state: LiveState = "connecting";
let since = Date.now();
let stream: LiveStream | null = null;

function tell(message: ToPage): void {
  for (const port of ports) port.postMessage(message);
}

function start(nextAccount: string): void {
  if (stream && account === nextAccount && state !== "signed_out") return;
  stream?.stop();
  account = nextAccount;
  stream = new LiveStream({
    onState(next) {
      state = next;
      since = Date.now();
      tell({ type: "state", state, since });
    },
    onEvent: (name, data) => tell({ type: "event", name, data }),
  });
  stream.start();
}

function take(port: MessagePort, message: ToWorker): void {
  if (message.type === "bye") {
    ports.delete(port);
    if (ports.size === 0) {
      stream?.stop();
      stream = null;
    }
  } else if (message.type === "retry") {
    stream?.retryNow();
  } else {
    start(message.account);
    port.postMessage({ type: "state", state, since } satisfies ToPage);
  }
}

self.addEventListener("connect", (event) => {
  const port = (event as MessageEvent).ports[0]!;
  ports.add(port);
  port.addEventListener("message", (message: MessageEvent<ToWorker>) => take(port, message.data));
  port.start();
});
