/** Outdoors the light theme is read best: the phone starts with it until its owner chooses another. */
import { theme, toggleTheme } from "@shared/theme/theme";

const CHOSEN = "gridmap.patrol.theme";

export function preferLight(): void {
  if (localStorage.getItem(CHOSEN)) return;
  localStorage.setItem(CHOSEN, "light");
  if (theme.value === "dark") toggleTheme();
}
