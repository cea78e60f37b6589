import { expect, test } from "vitest";
import { boundsOf } from "./layers";

test("everything that is drawn lies in the box, holes and parts too", () => {
  const areas = {
    type: "FeatureCollection",
    features: [
      { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [[[113, 28], [113.2, 28], [113.1, 28.1], [113, 28]]] } },
      { type: "Feature", properties: {}, geometry: { type: "MultiPolygon", coordinates: [[[[112.9, 28.05], [113, 28.05], [113, 28.3], [112.9, 28.05]]]] } },
    ],
  } as GeoJSON.FeatureCollection;
  expect(boundsOf(areas)).toEqual([112.9, 28, 113.2, 28.3]);
  expect(boundsOf(undefined)).toBeNull();
  expect(boundsOf({ type: "FeatureCollection", features: [] })).toBeNull();
});
