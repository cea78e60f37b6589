/**
 * One connection to /api/live, kept alive: resumes by Last-Event-ID, waits longer after each failure.
 *
 * fetch instead of EventSource, because an EventSource that met an HTTP error gives up, and a new one
 * could not send the id of the last event.
 */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { LIVE_EVENTS, type LiveEventName, type LiveState } from "./events";
import { type EventId, isRepeat, parseEventId, retryDelayMs } from "./resume";

/** The server sends a heartbeat more often than this; silence means a dead line. */
const SILENCE_MS = 45_000;
const OFFLINE_AFTER_ATTEMPTS = 3;

export interface StreamHandlers {
  onState(state: LiveState): void;
  onEvent(name: LiveEventName, data: unknown): void;
}

export class LiveStream {
  private lastId: EventId | null = null;
  private lastIdText = "";
  private attempt = 0;
  private abort: AbortController | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private silenceTimer: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;

  constructor(
    private readonly handlers: StreamHandlers,
    private readonly url = "/api/live",
  ) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    void this.connect();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    clearTimeout(this.silenceTimer);
    this.abort?.abort();
  }

  /** Try again now, without waiting for the timer. */
  retryNow(): void {
    if (this.stopped || !this.retryTimer) return;
    clearTimeout(this.retryTimer);
    this.retryTimer = undefined;
    void this.connect();
  }

  private async connect(): Promise<void> {
    this.abort = new AbortController();
    if (this.attempt === 0) this.handlers.onState("connecting");
    try {
      const response = await fetch(this.url, {
        headers: { Accept: "text/event-stream", ...(this.lastIdText ? { "Last-Event-ID": this.lastIdText } : {}) },
        credentials: "same-origin",
        cache: "no-store",
        signal: this.abort.signal,
      });
      if (response.status === 401 || response.status === 403) return this.handlers.onState("signed_out");
      if (!response.ok || !response.body) throw new Error(`http ${response.status}`);
      await this.read(response.body);
      throw new Error("stream ended");
    } catch {
      this.scheduleRetry();
    }
  }

  private async read(body: ReadableStream<Uint8Array>): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const parser = createParser({ onEvent: (message) => this.take(message) });
    this.attempt = 0;
    this.handlers.onState("live");
    this.watchSilence();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.watchSilence();
      parser.feed(decoder.decode(value, { stream: true }));
    }
  }

  private take(message: EventSourceMessage): void {
    if (message.id) {
      const id = parseEventId(message.id);
      // A call to load everything anew may bear an id that was seen; it must be heard all the same.
      if (id && message.event !== "resync" && isRepeat(this.lastId, id)) return;
      this.lastId = id;
      this.lastIdText = message.id;
    }
    const name = message.event as LiveEventName | undefined;
    if (!name || !LIVE_EVENTS.includes(name)) return;
    try {
      this.handlers.onEvent(name, JSON.parse(message.data || "{}"));
    } catch {
      this.handlers.onEvent("resync", {});
    }
  }

  private watchSilence(): void {
    clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.abort?.abort(), SILENCE_MS);
  }

  private scheduleRetry(): void {
    clearTimeout(this.silenceTimer);
    if (this.stopped) return;
    this.attempt += 1;
    this.handlers.onState(this.attempt > OFFLINE_AFTER_ATTEMPTS ? "offline" : "reconnecting");
    this.retryTimer = setTimeout(() => {
      this.retryTimer = undefined;
      void this.connect();
    }, retryDelayMs(this.attempt));
  }
}
