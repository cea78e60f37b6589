import type { PlaceNeed } from "@shared/api/response";
import { t } from "@shared/i18n";
import { termName } from "@shared/vocab";

/** Whom a place is for, in words. */
export function placeName(place: Pick<PlaceNeed, "capability" | "unit_kind">): string {
  const parts = [place.unit_kind && termName("unit_kinds", place.unit_kind), place.capability && termName("capabilities", place.capability)].filter(Boolean);
  return parts.join(" · ") || t("callout.anybody");
}

/** Where a call-out asks, in words. */
export function fenceName(fence: { kind: string; value: number | null }): string {
  if (fence.kind === "buffer_m" && fence.value !== null) return t("callout.within_m", { n: fence.value });
  if (fence.kind === "minutes" && fence.value !== null) return t("callout.within_min", { n: fence.value });
  return termName("call_fences", fence.kind);
}
