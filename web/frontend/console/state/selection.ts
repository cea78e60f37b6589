/** What the operator looks at; the incident stands in the address. */
import { ref, shallowRef, watch } from "vue";

export const selectedId = ref<string | null>(new URLSearchParams(location.search).get("incident"));

export interface MapCardSubject {
  kind: "unit" | "camera";
  id: string;
  lon: number;
  lat: number;
}
/** The unit or camera last clicked on the map. */
export const cardSubject = shallowRef<MapCardSubject | null>(null);

/** The unit whose route to the selected incident is drawn. */
export const routeUnitId = ref<string | null>(null);

export function select(id: string | null): void {
  selectedId.value = id;
}

watch(selectedId, (id) => {
  routeUnitId.value = null;
  const url = new URL(location.href);
  if (id) url.searchParams.set("incident", id);
  else url.searchParams.delete("incident");
  history.replaceState(null, "", url);
});
