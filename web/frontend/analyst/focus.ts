/** Where the map is asked to fly. Each ask counts, also the second one to the same place. */
import { shallowRef } from "vue";
import { view } from "./state";
import type { Bounds } from "./map/layers";

export interface Focus {
  bbox: Bounds;
  /** The very place inside it, where there is one. */
  point: [lon: number, lat: number] | null;
}

const NARROW = "(max-width: 900px)";
/** Where map and panels take turns, the map has to come to the front. */
const showMap = () => matchMedia(NARROW).matches && (view.panel = "map");

export const focus = shallowRef<Focus | null>(null);

export function flyToBounds(bbox: Bounds): void {
  focus.value = { bbox, point: null };
  showMap();
}

/** A warning's own place, with as much around it as its circle. */
export function flyToPoint(lon: number, lat: number, within_m: number): void {
  const north = within_m / 111_000;
  const east = north / Math.cos((lat * Math.PI) / 180);
  focus.value = { bbox: [lon - east, lat - north, lon + east, lat + north], point: [lon, lat] };
  showMap();
}

