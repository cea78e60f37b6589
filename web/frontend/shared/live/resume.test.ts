import { describe, expect, it } from "vitest";
import { isRepeat, parseEventId, retryDelayMs } from "./resume";

const id = (text: string) => parseEventId(text)!;

describe("event ids", () => {
  it("reads epoch, transaction and row, however large", () => {
    expect(parseEventId("7f3a-b2-18446744073709551615-42")).toEqual({ epoch: "7f3a-b2", xid: 18446744073709551615n, id: 42n });
    expect(parseEventId("nonsense")).toBeNull();
  });

  it("knows what it has seen", () => {
    expect(isRepeat(id("e-10-5"), id("e-10-5"))).toBe(true);
    expect(isRepeat(id("e-10-5"), id("e-9-99"))).toBe(true);
    expect(isRepeat(id("e-10-5"), id("e-10-6"))).toBe(false);
    expect(isRepeat(id("e-10-5"), id("e-11-1"))).toBe(false);
    expect(isRepeat(null, id("e-1-1"))).toBe(false);
  });

  it("starts over with a new epoch", () => expect(isRepeat(id("e-10-5"), id("f-1-1"))).toBe(false));
});

describe("waits between attempts", () => {
  it("grow, spread and end at fifteen seconds", () => {
    expect(retryDelayMs(1, 1)).toBe(1000);
    expect(retryDelayMs(50, 1)).toBe(15_000);
    expect(retryDelayMs(50, 0)).toBe(7_500);
  });
});
