import { afterEach, describe, expect, it, vi } from "vitest";
import { LiveStream } from "./stream";

/** A server that answers each request with the next script: what it sends before it hangs up. */
function serve(scripts: (string[] | number)[]): { lastIds: (string | null)[] } {
  const lastIds: (string | null)[] = [];
  vi.stubGlobal("fetch", (_url: string, init: RequestInit) => {
    lastIds.push(new Headers(init.headers).get("Last-Event-ID"));
    const script = scripts.shift() ?? [];
    if (typeof script === "number") return Promise.resolve(new Response(null, { status: script }));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of script) controller.enqueue(new TextEncoder().encode(chunk));
        controller.close();
      },
    });
    return Promise.resolve(new Response(body, { status: 200 }));
  });
  return { lastIds };
}

async function listen(scripts: (string[] | number)[]) {
  vi.useFakeTimers();
  const { lastIds } = serve(scripts);
  const rounds = scripts.length;
  const events: [string, unknown][] = [];
  const states: string[] = [];
  const stream = new LiveStream({ onState: (state) => states.push(state), onEvent: (name, data) => events.push([name, data]) });
  stream.start();
  for (let i = 0; i < rounds; i++) await vi.advanceTimersByTimeAsync(16_000);
  stream.stop();
  return { events, states, lastIds };
}

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the live stream", () => {
  it("resumes behind the last event and drops repeats", async () => {
    const first = 'id: e-1-1\nevent: incident\ndata: {"id":"a"}\n\n';
    const second = 'id: e-2-1\nevent: incident\ndata: {"id":"b"}\n\n';
    const { events, lastIds } = await listen([[first], [first, second]]);
    expect(lastIds.slice(0, 3)).toEqual([null, "e-1-1", "e-2-1"]);
    expect(events.map(([, data]) => (data as { id: string }).id)).toEqual(["a", "b"]);
  });

  it("hears a resync whatever its id, and moves on with a beat", async () => {
    const { events, lastIds } = await listen([['id: e-5-1\nevent: incident\ndata: {}\n\nid: e-5-1\nevent: resync\ndata: {}\n\nid: e-9-0\nevent: beat\ndata: {}\n\n'], []]);
    expect(events.map(([name]) => name)).toEqual(["incident", "resync"]);
    expect(lastIds[1]).toBe("e-9-0");
  });

  it("puts together an event that arrives in pieces", async () => {
    const { events } = await listen([['event: units\nda', 'ta: {"items":[]}\n', "\n"]]);
    expect(events).toEqual([["units", { items: [] }]]);
  });

  it("asks for everything anew when an event cannot be read", async () => {
    const { events } = await listen([["event: incident\ndata: {broken\n\n"]]);
    expect(events).toEqual([["resync", {}]]);
  });

  it("stops at a refusal instead of knocking for ever", async () => {
    const { states, lastIds } = await listen([401, []]);
    expect(states.at(-1)).toBe("signed_out");
    expect(lastIds).toHaveLength(1);
  });

  it("calls itself offline after some failures and comes back", async () => {
    const { states } = await listen([503, 503, 503, 503, [": hello\n\n"]]);
    expect(states).toContain("reconnecting");
    expect(states).toContain("offline");
    expect(states).toContain("live");
  });
});
