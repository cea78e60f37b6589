/** Shapes that parts of the page put on the map for as long as somebody looks at them: rings, fences, a replay. */
import { computed, shallowReactive } from "vue";

export interface ShapeLook {
  color: string;
  /** 0 draws no fill. */
  fill?: number;
  width?: number;
  label?: string;
}
export type Shape = GeoJSON.Feature<GeoJSON.Geometry, ShapeLook>;

const byOwner = shallowReactive(new Map<string, Shape[]>());
export const mapShapes = computed(() => [...byOwner.values()].flat());

export function showShapes(owner: string, shapes: Shape[]): void {
  if (shapes.length) byOwner.set(owner, shapes);
  else byOwner.delete(owner);
}

export const asShape = (geometry: GeoJSON.Geometry, look: ShapeLook): Shape => ({ type: "Feature", geometry, properties: look });
