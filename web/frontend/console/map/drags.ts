/** Units and incidents on the map as things to drag and to drop on. */
import type { Map as GlMap, MapMouseEvent } from "maplibre-gl";
import { can } from "@shared/auth/session";
import { findIncident } from "../state/incidents";
import { beginDrag, dropsOnMap } from "../state/drag";
import { units } from "../state/units";
import { picking } from "./pick";
import { sketch } from "./sketch";

const LAYERS = { unit: ["units", "units-dot"], incident: ["incidents"] } as const;
const REACH_PX = 10;

function idAt(map: GlMap, kind: "unit" | "incident", x: number, y: number): string | null {
  const layers = LAYERS[kind].filter((id) => map.getLayer(id));
  const found = map.queryRenderedFeatures([[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]], { layers })[0];
  return found ? String(found.properties.id) : null;
}

export function listenToDrags(map: GlMap): void {
  if (!can("case.dispatch")) return;
  dropsOnMap((kind, x, y) => {
    const { left, top } = map.getContainer().getBoundingClientRect();
    return idAt(map, kind, x - left, y - top);
  });
  map.on("mousedown", (event: MapMouseEvent) => {
    if (picking.value || sketch.value) return;
    const { x, y } = event.point;
    const incident = idAt(map, "incident", x, y);
    const unit = incident ? null : idAt(map, "unit", x, y);
    if (!incident && !unit) return;
    event.preventDefault();
    if (incident) beginDrag(event.originalEvent, { kind: "incident", id: incident, label: findIncident(incident)?.number ?? "" });
    else if (unit) beginDrag(event.originalEvent, { kind: "unit", id: unit, label: units.value.get(unit)?.call_sign ?? "" });
  });
}
