/** Event ids are "epoch-xid-id": order holds inside one epoch; a new epoch means the history was replaced. */
export interface EventId {
  epoch: string;
  xid: bigint;
  id: bigint;
}

export function parseEventId(text: string): EventId | null {
  const match = /^(.+)-(\d+)-(\d+)$/.exec(text);
  if (!match) return null;
  return { epoch: match[1]!, xid: BigInt(match[2]!), id: BigInt(match[3]!) };
}

/** True when `next` was already seen: a resumed stream may repeat its last events. */
export function isRepeat(last: EventId | null, next: EventId): boolean {
  if (!last || last.epoch !== next.epoch) return false;
  return next.xid < last.xid || (next.xid === last.xid && next.id <= last.id);
}

/** Waits between attempts: quick at first, at most 15 s, spread so that 500 desks do not return at once. */
export function retryDelayMs(attempt: number, random = Math.random()): number {
  const base = Math.min(15_000, 500 * 2 ** Math.min(attempt, 6));
  return Math.round(base * (0.5 + random / 2));
}
