/** Choosing a place: the next click on the map (or a drag of the pin) goes to whoever asked. */
import { Marker, type Map as GlMap, type MapMouseEvent } from "maplibre-gl";
import { shallowRef, watch } from "vue";

export interface Place {
  lon: number;
  lat: number;
}

/** Set while the map waits for a click; the report form and "move the pin" use it. */
export const picking = shallowRef<((place: Place) => void) | null>(null);
/** The pin on the map, draggable while somebody listens. */
export const pin = shallowRef<{ place: Place; onMove: ((place: Place) => void) | null } | null>(null);

const round = (value: number) => Math.round(value * 1e7) / 1e7;
const toPlace = ({ lng, lat }: { lng: number; lat: number }): Place => ({ lon: round(lng), lat: round(lat) });

/** Takes the click if somebody asked for a place. */
export function takePick(event: MapMouseEvent): boolean {
  if (!picking.value) return false;
  picking.value(toPlace(event.lngLat));
  return true;
}

export function installPin(map: GlMap): void {
  let marker: Marker | null = null;
  watch(
    pin,
    (next) => {
      if (!next) {
        marker?.remove();
        marker = null;
        return;
      }
      if (!marker) {
        marker = new Marker({ color: "#ffd24d", draggable: true }).setLngLat([next.place.lon, next.place.lat]).addTo(map);
        marker.on("dragend", () => marker && pin.value?.onMove?.(toPlace(marker.getLngLat())));
      }
      marker.setLngLat([next.place.lon, next.place.lat]).setDraggable(next.onMove !== null);
    },
    { immediate: true },
  );
  watch(picking, (wanted) => (map.getCanvas().style.cursor = wanted ? "crosshair" : ""), { immediate: true });
}
