// @vitest-environment jsdom
import { beforeEach, describe, expect, it } from "vitest";
import { locale } from "../i18n";
import { runningClock } from "./clock";
import { boxAround, metresBetween } from "./geo";
import { distance } from "./measure";
import { clockTime, countdown, fromLocalInput, localInput, relativeTime, travelTime } from "./time";

const NOON = Date.parse("2026-11-22T04:00:00Z");
const ago = (seconds: number) => new Date(NOON - seconds * 1000).toISOString();

beforeEach(() => (locale.value = "zh"));

describe("times in words", () => {
  it.each([
    [3, "刚刚"],
    [45, "45 秒前"],
    [200, "3 分钟前"],
    [2 * 3600, "今天 10:00"],
    [20 * 3600, "昨天 16:00"],
  ])("%i seconds ago", (seconds, words) => expect(relativeTime(ago(seconds), NOON)).toBe(words));

  it("speaks English when asked", () => {
    locale.value = "en";
    expect(relativeTime(ago(200), NOON)).toBe("3 min ago");
  });

  it("shows the deployment's zone with 24 hours", () => expect(clockTime("2026-11-22T15:05:00Z")).toBe("23:05"));

  it("takes a time of the future as now", () => expect(relativeTime(ago(-5), NOON)).toBe("刚刚"));
});

describe("running clock", () => {
  const item = (reported: number, due: number | null) => ({ reported_at: ago(reported), due_at: due === null ? null : ago(-due) });

  it("counts down to the due time", () => expect(runningClock(item(60, 120), NOON)).toEqual({ kind: "due", seconds: 120, soon: false }));
  it("warns in the last fifth", () => expect(runningClock(item(90, 10), NOON).soon).toBe(true));
  it("counts up when overdue", () => expect(runningClock(item(300, -30), NOON)).toEqual({ kind: "overdue", seconds: 30, soon: false }));
  it("counts the wait without a due time", () => expect(runningClock(item(75, null), NOON)).toEqual({ kind: "waiting", seconds: 75, soon: false }));

  it.each([
    [125, "2:05"],
    [3725, "1:02:05"],
    [-5, "0:05"],
    [3 * 86_400, "3 天"],
  ])("%i s reads %s", (seconds, text) => expect(countdown(seconds)).toBe(text));
});

describe("measures", () => {
  it.each([
    [42.4, "42 米"],
    [347, "350 米"],
    [1949, "1.9 公里"],
  ])("%d m", (metres, text) => expect(distance(metres)).toBe(text));
  it("says nothing for an unknown distance", () => expect(distance(null)).toBe("–"));
  it.each([
    [40, "40 秒"],
    [250, "4 分钟"],
    [7200, "2.0 小时"],
  ])("%i s of travel", (seconds, text) => expect(travelTime(seconds)).toBe(text));

  it("boxes reach as far as they say", () => {
    const at = { lon: 116.4, lat: 34 };
    const [west, , , north] = boxAround(at, 150);
    expect(metresBetween(at, { lon: west, lat: 34 })).toBeCloseTo(150, 0);
    expect(metresBetween(at, { lon: 116.4, lat: north })).toBeCloseTo(150, 0);
  });
});

describe("a field for date and time", () => {
  it("speaks of the site's zone, whatever the browser's", () => {
    expect(localInput("2026-11-30T16:05:00Z")).toBe("2026-12-01T00:05");
    expect(fromLocalInput("2026-12-01T00:05")).toBe("2026-11-30T16:05:00.000Z");
  });
});
