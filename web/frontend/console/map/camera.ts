/** Moves of the map that other parts ask for; the map itself stays private to its folder. */
import type { Map as GlMap } from "maplibre-gl";
import { shallowRef } from "vue";

export const theMap = shallowRef<GlMap | null>(null);

/** Room that the side panels take, in CSS pixels; kept current by the page's layout. */
export function measurePadding(): { top: number; bottom: number; left: number; right: number } {
  const wide = innerWidth > 900;
  const width = (selector: string) => (wide ? (document.querySelector(selector)?.getBoundingClientRect().width ?? 0) : 0);
  return { top: 24, bottom: 24, left: 24 + width(".rail.left"), right: 24 + width(".rail.right") };
}

function room() {
  const padding = measurePadding();
  const canvas = theMap.value?.getContainer();
  // On a narrow screen padding could leave no room at all, which the map refuses.
  if (!canvas || padding.left + padding.right > canvas.clientWidth - 80) return { top: 24, bottom: 24, left: 24, right: 24 };
  return padding;
}

export function flyTo(lon: number, lat: number, zoom = 16): void {
  const map = theMap.value;
  if (!map) return;
  const padding = room();
  map.easeTo({
    center: [lon, lat],
    zoom: Math.max(map.getZoom(), zoom),
    offset: [(padding.left - padding.right) / 2, 0],
    duration: 500,
  });
}

export function fitBox(box: readonly [number, number, number, number], maxZoom = 17): void {
  theMap.value?.fitBounds([...box] as [number, number, number, number], { padding: room(), maxZoom, duration: 500 });
}

/** Moves only when the point is hidden: the operator's view is not taken away without need. */
export function reveal(lon: number, lat: number): void {
  const map = theMap.value;
  if (!map) return;
  const point = map.project([lon, lat]);
  const padding = room();
  const { clientWidth, clientHeight } = map.getContainer();
  const hidden = point.x < padding.left || point.x > clientWidth - padding.right || point.y < padding.top || point.y > clientHeight - padding.bottom;
  if (hidden || map.getZoom() < 13) flyTo(lon, lat, 15);
}

export function zoomBy(step: number): void {
  theMap.value?.zoomTo(theMap.value.getZoom() + step, { duration: 200 });
}

export function mapCenter(): { lon: number; lat: number } | null {
  const center = theMap.value?.getCenter();
  return center ? { lon: center.lng, lat: center.lat } : null;
}

export function boundsText(): string | null {
  const bounds = theMap.value?.getBounds();
  return bounds ? bounds.toArray().flat().map((value) => value.toFixed(6)).join(",") : null;
}
