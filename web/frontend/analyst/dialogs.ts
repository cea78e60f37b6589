/** The one dialog that is open, whoever asked for it: a line of the list, the card, a warning. */
import { shallowRef } from "vue";
import type { PlacedArea, RiskArea, Rung } from "@shared/api/risk";

export type Open =
  | { kind: "inspect"; area: RiskArea }
  | { kind: "plan"; area: RiskArea }
  | { kind: "task"; rung: Rung }
  | { kind: "mute"; rule: string; name: string; areas: Pick<PlacedArea, "id" | "name" | "level">[] }
  | { kind: "export" };

export const opened = shallowRef<Open | null>(null);
export const close = () => (opened.value = null);
