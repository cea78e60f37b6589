/** Drawn zones, and the one that is shown on the map. */
import { ref } from "vue";

/** True while the form to draw one stands over the map. */
export const fencingOpen = ref(false);
