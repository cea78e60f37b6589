/** Cameras around the selected incident, while the operator looks at them. */
import { shallowRef } from "vue";
import type { Camera } from "@shared/api/cameras";

export const nearCameras = shallowRef<Camera[]>([]);
