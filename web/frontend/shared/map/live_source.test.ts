import { describe, expect, it } from "vitest";
import { diffPoints, type LivePoint } from "./live_source";

const point = (id: string, lon = 0, props: LivePoint["props"] = { status: "open" }): LivePoint => ({ id, lon, lat: 0, props });
const of = (...points: LivePoint[]) => new Map(points.map((one) => [one.id, one]));

describe("what is sent to the map", () => {
  it("is nothing when nothing changed", () => expect(diffPoints(of(point("a")), of(point("a")))).toBeNull());

  it("names only what moved, changed, came or went", () => {
    const diff = diffPoints(of(point("moved"), point("changed"), point("gone"), point("same")), of(point("moved", 1), point("changed", 0, { status: "closed" }), point("same"), point("new")));
    expect(diff?.remove).toEqual(["gone"]);
    expect(diff?.add?.map((feature) => feature.id)).toEqual(["new"]);
    expect(diff?.update).toEqual([
      { id: "moved", newGeometry: { type: "Point", coordinates: [1, 0] } },
      { id: "changed", addOrUpdateProperties: [{ key: "status", value: "closed" }] },
    ]);
  });
});
