/** A GeoJSON source that moves: only what changed is sent to the map's worker. */
import type { GeoJSONFeatureDiff, GeoJSONSource, GeoJSONSourceDiff, Map as GlMap } from "maplibre-gl";

export interface LivePoint {
  id: string;
  lon: number;
  lat: number;
  props: Record<string, string | number | boolean>;
}

function toFeature(point: LivePoint): GeoJSON.Feature {
  return {
    type: "Feature",
    id: point.id,
    geometry: { type: "Point", coordinates: [point.lon, point.lat] },
    properties: { ...point.props, id: point.id },
  };
}

function changeOf(before: LivePoint, after: LivePoint): GeoJSONFeatureDiff | null {
  const changed = Object.entries(after.props).filter(([key, value]) => before.props[key] !== value);
  const moved = before.lon !== after.lon || before.lat !== after.lat;
  if (!moved && changed.length === 0) return null;
  const diff: GeoJSONFeatureDiff = { id: after.id };
  if (moved) diff.newGeometry = { type: "Point", coordinates: [after.lon, after.lat] };
  if (changed.length) diff.addOrUpdateProperties = changed.map(([key, value]) => ({ key, value }));
  return diff;
}

/** What turns `before` into `after`; null when nothing did. */
export function diffPoints(before: ReadonlyMap<string, LivePoint>, after: ReadonlyMap<string, LivePoint>): GeoJSONSourceDiff | null {
  const add: GeoJSON.Feature[] = [];
  const update: GeoJSONFeatureDiff[] = [];
  for (const [id, point] of after) {
    const known = before.get(id);
    if (!known) add.push(toFeature(point));
    else {
      const change = changeOf(known, point);
      if (change) update.push(change);
    }
  }
  const remove = [...before.keys()].filter((id) => !after.has(id));
  if (!add.length && !update.length && !remove.length) return null;
  return { add, update, remove };
}

export class LiveSource {
  private shown = new Map<string, LivePoint>();
  private wanted = new Map<string, LivePoint>();
  private frame = 0;

  constructor(
    private readonly map: GlMap,
    readonly id: string,
  ) {}

  /** Adds the source to a fresh style with everything that is wanted now. */
  install(): void {
    const features = [...this.wanted.values()].map(toFeature);
    this.map.addSource(this.id, { type: "geojson", promoteId: "id", data: { type: "FeatureCollection", features } });
    this.shown = this.wanted;
  }

  set(points: Iterable<LivePoint>): void {
    this.wanted = new Map([...points].map((point) => [point.id, point]));
    // Several changes in one frame become one message to the worker.
    this.frame ||= requestAnimationFrame(() => this.send());
  }

  private send(): void {
    this.frame = 0;
    const source = this.map.getSource<GeoJSONSource>(this.id);
    if (!source) return;
    const diff = diffPoints(this.shown, this.wanted);
    this.shown = this.wanted;
    if (diff) void source.updateData(diff);
  }
}
