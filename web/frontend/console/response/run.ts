/** One call of the response's verbs: shows a refusal, and asks the case anew either way. */
import { ref } from "vue";
import { getIncident } from "@shared/api/incidents";
import { queries } from "@shared/page";
import { showError } from "@shared/ui/errors";
import { keep } from "../detail/actions";

export const working = ref(false);

export async function run(incidentId: string, work: () => Promise<unknown>): Promise<boolean> {
  if (working.value) return false;
  working.value = true;
  let done = true;
  try {
    await work();
  } catch (error) {
    done = false;
    showError(error);
  } finally {
    working.value = false;
  }
  void queries.invalidateQueries({ queryKey: ["plan", incidentId] });
  await getIncident(incidentId).then(keep, () => undefined);
  return done;
}
