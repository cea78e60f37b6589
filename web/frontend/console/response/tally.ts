/** How far the offers of a call-out have come: sent, delivered and seen are three states. Pure. */
import type { Dispatch } from "@shared/api/dispatches";

export interface Tally {
  sent: number;
  delivered: number;
  seen: number;
  accepted: number;
  declined: number;
  unreached: number;
}

type Told = Pick<Dispatch, "status" | "delivered_at" | "seen_at" | "accepted_at" | "end_reason" | "callout_id">;

export function tallyOf(dispatches: readonly Told[], calloutId: string): Tally {
  const mine = dispatches.filter((one) => one.callout_id === calloutId);
  const count = (fits: (one: Told) => unknown) => mine.filter(fits).length;
  return {
    sent: mine.length,
    delivered: count((one) => one.delivered_at),
    seen: count((one) => one.seen_at),
    accepted: count((one) => one.accepted_at),
    declined: count((one) => one.status === "declined"),
    unreached: count((one) => !one.delivered_at && (one.end_reason === "undelivered" || one.status === "expired")),
  };
}
