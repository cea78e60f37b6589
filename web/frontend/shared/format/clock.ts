/** The running clock of an incident: time left until it is due, or how long it has been waiting. */
export interface RunningClock {
  kind: "due" | "overdue" | "waiting";
  seconds: number;
  /** Less than a fifth of the span is left: the colour changes before the time is up. */
  soon: boolean;
}

export interface Timed {
  reported_at: string;
  due_at: string | null;
}

export function runningClock(item: Timed, nowMs: number): RunningClock {
  const reported = Date.parse(item.reported_at);
  if (!item.due_at) return { kind: "waiting", seconds: Math.max(0, (nowMs - reported) / 1000), soon: false };
  const due = Date.parse(item.due_at);
  const seconds = (due - nowMs) / 1000;
  if (seconds < 0) return { kind: "overdue", seconds: -seconds, soon: false };
  return { kind: "due", seconds, soon: seconds < (due - reported) / 5000 };
}
