/** Dark control-room or light desk theme; both are values of the same tokens. */
import { useStorage } from "@vueuse/core";
import { computed, watchEffect } from "vue";

export type Theme = "dark" | "light";
const stored = useStorage<Theme>("gridmap.theme", "dark");
export const theme = computed<Theme>(() => (stored.value === "light" ? "light" : "dark"));

export function toggleTheme(): void {
  stored.value = theme.value === "dark" ? "light" : "dark";
}

watchEffect(() => {
  document.documentElement.dataset.theme = theme.value;
});
