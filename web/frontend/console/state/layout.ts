/** Which panels show: the left rail on a desk, one view at a time on a narrow screen. */
import { useStorage } from "@vueuse/core";
import { computed, ref, watch } from "vue";
import { reportStart } from "./report_form";
import { selectedId } from "./selection";

/** The dialog of major events: false while closed, else the one to begin with (true: any). */
export const majorsOpen = ref<string | boolean>(false);
export const handoverOpen = ref(false);
export const rosterOpen = ref(false);

const storedLeft = useStorage("gridmap.left", true);
export const narrowView = ref<"map" | "left" | "queue" | "detail">(selectedId.value ? "detail" : "queue");
export const leftOpen = computed({
  get: () => storedLeft.value || narrowView.value === "left",
  set: (value) => (storedLeft.value = value),
});

watch([selectedId, reportStart], ([incident, report]) => {
  if (incident || report) narrowView.value = "detail";
  else if (narrowView.value === "detail") narrowView.value = "queue";
});
