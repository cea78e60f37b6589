/** Times in the words people use. All inputs are ISO-8601 or milliseconds; the zone is the deployment's. */
import { locale, t } from "../i18n";

let zone = "Asia/Shanghai";
export function setTimeZone(next: string): void {
  zone = next;
  formatters.clear();
}

const formatters = new Map<string, Intl.DateTimeFormat>();
function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale.value + JSON.stringify(options);
  let found = formatters.get(key);
  if (!found) {
    const tag = locale.value === "zh" ? "zh-CN" : "en-GB";
    found = new Intl.DateTimeFormat(tag, { timeZone: zone, hourCycle: "h23", ...options });
    formatters.set(key, found);
  }
  return found;
}

/** 14:03:22 with the date: what a hover shows. */
export function exactTime(iso: string | null | undefined): string {
  if (!iso) return "";
  return formatter({ year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(
    new Date(iso),
  );
}

/** 14:03 */
export function clockTime(iso: string | number): string {
  return formatter({ hour: "2-digit", minute: "2-digit" }).format(new Date(iso));
}

/** 11-22 14:03: a time that need not be today's. */
export function dateTime(iso: string | null | undefined): string {
  return iso ? formatter({ month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).format(new Date(iso)) : "";
}

/** 11月22日 周日 / Sun, 22 Nov */
export function dayText(at: string | number): string {
  return formatter({ month: "short", day: "numeric", weekday: "short" }).format(new Date(at));
}

function dayStamp(ms: number): string {
  return formatter({ year: "numeric", month: "2-digit", day: "2-digit" }).format(ms);
}

/** "3 分钟前" within the hour, "今天 14:03" within the day, then the date. */
export function relativeTime(iso: string | null | undefined, nowMs: number): string {
  if (!iso) return "";
  const then = Date.parse(iso);
  const seconds = Math.round((nowMs - then) / 1000);
  if (seconds < 10) return t("time.just_now");
  if (seconds < 60) return t("time.seconds_ago", { n: seconds });
  if (seconds < 3600) return t("time.minutes_ago", { n: Math.floor(seconds / 60) });
  if (dayStamp(then) === dayStamp(nowMs)) return t("time.today_at", { time: clockTime(then) });
  if (dayStamp(then) === dayStamp(nowMs - 86_400_000)) return t("time.yesterday_at", { time: clockTime(then) });
  return formatter({ month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" }).format(then);
}

/** A running clock: 2:05, 1:02:05, or days beyond 48 h. Never negative. */
export function countdown(totalSeconds: number): string {
  const seconds = Math.max(0, Math.floor(Math.abs(totalSeconds)));
  const hours = Math.floor(seconds / 3600);
  if (hours >= 48) return t("time.days", { n: Math.floor(hours / 24) });
  const pad = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor((seconds % 3600) / 60);
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

/** Travel time: "4 分钟", under a minute "40 秒". */
export function travelTime(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return t("time.n_seconds", { n: Math.round(seconds) });
  if (seconds < 5400) return t("time.n_minutes", { n: Math.round(seconds / 60) });
  return t("time.n_hours", { n: (seconds / 3600).toFixed(1) });
}

/** The age of a position: "12 秒前". */
export function ageText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 60) return t("time.seconds_ago", { n: Math.round(seconds) });
  if (seconds < 3600) return t("time.minutes_ago", { n: Math.floor(seconds / 60) });
  return t("time.hours_ago", { n: Math.floor(seconds / 3600) });
}

/** What a field for date and time takes, in the site's zone whatever the browser's. */
export function localInput(at: string | number): string {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });
  return parts.format(typeof at === "number" ? at : Date.parse(at)).replace(" ", "T");
}

/** The instant of such a field. Where clocks are set back, the first of the two. */
export function fromLocalInput(text: string): string {
  const asUtc_ms = Date.parse(`${text}:00Z`);
  const shift = (at_ms: number) => Date.parse(`${localInput(at_ms)}:00Z`) - at_ms;
  const near_ms = asUtc_ms - shift(asUtc_ms);
  return new Date(asUtc_ms - shift(near_ms)).toISOString();
}
