/** Pictures of incidents and units, drawn when the map first asks for one by name. */
import type { Map as GlMap } from "maplibre-gl";
import { Bike, Car, PersonStanding, Siren } from "lucide";
import { iconNode } from "../icons/classes";
import { drawPicture, severityShape, shapePath, strokeIcon } from "../icons/draw";
import { cssToken } from "../theme/read";

export const incidentPicture = (icon: string, severity: number, status: string) => `incident|${icon}|${severity}|${status}`;
export const unitPicture = (mode: string, status: string) => `unit|${mode}|${status}`;

const STATUS_RING: Record<string, string> = {
  open: "--ring-open",
  assigned: "--ring-assigned",
  awaiting_verification: "--ring-awaiting",
  returned: "--ring-returned",
  closed: "--ring-closed",
};

function drawIncident(icon: string, severity: number, status: string): ImageData {
  const size = 40;
  return drawPicture(size, (context) => {
    const middle = size / 2;
    const shape = severityShape(severity);
    const fade = status === "closed";
    context.lineJoin = "round";
    context.lineWidth = 7;
    context.strokeStyle = cssToken("--map-casing");
    context.stroke(shapePath(shape, middle, middle, 12.5));
    context.lineWidth = 3.5;
    context.strokeStyle = cssToken(STATUS_RING[status] ?? "--ring-open");
    context.stroke(shapePath(shape, middle, middle, 13));
    context.fillStyle = cssToken(fade ? "--surface-3" : `--sev-${severity}-fill`);
    context.fill(shapePath(shape, middle, middle, 12));
    const y = shape === "triangle" ? middle + 3 : middle;
    strokeIcon(context, iconNode(icon), { x: middle, y, size: shape === "triangle" ? 12 : 15, color: cssToken("--on-sev"), width: 1.8 });
  });
}

const UNIT_COLOR: Record<string, string> = { free: "--unit-free", busy: "--unit-busy", break: "--unit-break", off_duty: "--unit-break" };
const UNIT_ICON = { foot: PersonStanding, ebike: Bike, car: Car, emergency_car: Siren } as const;

function drawUnit(mode: string, status: string): ImageData {
  const size = 28;
  return drawPicture(size, (context) => {
    const middle = size / 2;
    const body = new Path2D();
    body.roundRect(middle - 10, middle - 10, 20, 20, mode === "foot" ? 10 : 6);
    context.lineWidth = 3;
    context.strokeStyle = cssToken("--map-casing");
    context.stroke(body);
    context.fillStyle = cssToken(UNIT_COLOR[status] ?? "--unit-break");
    context.fill(body);
    strokeIcon(context, UNIT_ICON[mode as keyof typeof UNIT_ICON] ?? PersonStanding, {
      x: middle, y: middle, size: 14, color: cssToken("--on-unit"), width: 1.7,
    });
  });
}

/** A wedge that points north from the middle; the map turns it. */
function drawSector(fov_deg: number): ImageData {
  const size = 72;
  return drawPicture(size, (context) => {
    const middle = size / 2;
    const half = (Math.min(fov_deg, 360) * Math.PI) / 360;
    const wedge = new Path2D();
    if (fov_deg < 360) wedge.moveTo(middle, middle);
    wedge.arc(middle, middle, middle - 2, -Math.PI / 2 - half, -Math.PI / 2 + half);
    wedge.closePath();
    context.fillStyle = cssToken("--info");
    context.globalAlpha = 0.22;
    context.fill(wedge);
    context.globalAlpha = 0.6;
    context.strokeStyle = cssToken("--info");
    context.stroke(wedge);
  });
}

/** Answers the map's question for a picture it does not have yet. */
export function servePictures(map: GlMap): void {
  map.setMissingStyleImageResolver((id) => {
    if (map.hasImage(id)) return;
    const [kind, first = "", second = "", third = ""] = id.split("|");
    if (kind === "incident") map.addImage(id, drawIncident(first, Number(second), third), { pixelRatio: 2 });
    else if (kind === "sector") map.addImage(id, drawSector(Number(first)), { pixelRatio: 2 });
    else if (kind === "unit") map.addImage(id, drawUnit(first, second), { pixelRatio: 2 });
  });
}
