/** What the analyst looks at, kept in the address, so that a view can be sent as a link. */
import { reactive, watch } from "vue";

export type Panel = "map" | "list" | "time" | "check" | "warn" | "tasks";
export const PANELS: readonly Panel[] = ["map", "list", "time", "check", "warn", "tasks"];
/** What these show does not hang on a run. */
export const WITHOUT_RUN: readonly Panel[] = ["warn", "tasks"];

export interface View {
  area: number | null;
  horizon: string;
  group: string;
  level: string;
  /** First day of the run looked at; empty = the newest. */
  origin: string;
  panel: Panel;
  picked: number | null;
  heat: boolean;
  colours: boolean;
  hot: boolean;
  compare: boolean;
}

const DEFAULTS: View = { area: null, horizon: "4weeks", group: "all", level: "community", origin: "", panel: "list", picked: null, heat: true, colours: false, hot: true, compare: false };

export function readView(search: string): View {
  const given = new URLSearchParams(search);
  const number = (name: string) => (/^\d+$/.test(given.get(name) ?? "") ? Number(given.get(name)) : null);
  const flag = (name: "heat" | "colours" | "hot" | "compare") => (given.has(name) ? given.get(name) === "1" : DEFAULTS[name]);
  const panel = given.get("panel") as Panel;
  return {
    area: number("area"),
    horizon: given.get("horizon") || DEFAULTS.horizon,
    group: given.get("group") || DEFAULTS.group,
    level: given.get("level") || DEFAULTS.level,
    origin: /^\d{4}-\d\d-\d\d$/.test(given.get("origin") ?? "") ? given.get("origin")! : "",
    panel: PANELS.includes(panel) ? panel : "list",
    picked: number("picked"),
    heat: flag("heat"),
    colours: flag("colours"),
    hot: flag("hot"),
    compare: flag("compare"),
  };
}

export function writeView(view: View): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(view) as [keyof View, View[keyof View]][]) {
    if (value === DEFAULTS[name] || value === null || value === "") continue;
    search.set(name, value === true ? "1" : value === false ? "0" : String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

export const view = reactive<View>(readView(location.search));
watch(view, () => history.replaceState(null, "", location.pathname + writeView(view)));
