/** Results that a seat told over the radio, with a photo that is still to come. */
import { computed } from "vue";
import type { Job } from "@shared/api/patrol";
import { waiting } from "./queue";
import { state } from "./store";

/** Today's jobs whose result a seat told, with a photo that is still to come. */
export const owed = computed<Job[]>(() => {
  const onItsWay = new Set(waiting.value.flatMap(({ action }) => ((action.kind === "supplement" && action.photos.length > 0) || (action.kind === "step" && action.verb === "no-photo") ? [action.dispatchId] : [])));
  return (state.value?.done_today ?? []).filter((job) => job.result?.photo === "follows" && job.incident.status !== "closed" && !onItsWay.has(job.id));
});
