/** A half-typed area is neither an area nor "everywhere": nothing may be granted on it. */
import { me } from "@shared/auth/session";

export type AreaChoice = { state: "everywhere" } | { state: "typing" } | { state: "chosen"; id: number; name: string };

export const areaId = (choice: AreaChoice): number | null => (choice.state === "chosen" ? choice.id : null);

/** As far as this administrator reaches: everywhere, or the one area that is theirs. Nobody grants beyond it. */
export function widest(): AreaChoice {
  const mine = me.value?.grants.filter((grant) => grant.role === "administrator") ?? [];
  const own = mine.find((grant) => grant.area_id !== null);
  if (!own || own.area_id === null || mine.some((grant) => grant.area_id === null)) return { state: "everywhere" };
  return { state: "chosen", id: own.area_id, name: own.area_name ?? String(own.area_id) };
}
