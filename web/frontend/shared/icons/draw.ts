/** Draws pictures for the map on a canvas at run time: no picture files to ship, and colours follow the data. */
import type { IconNode } from "lucide";

type Attributes = Record<string, string | number | undefined>;
const number = (attributes: Attributes, name: string) => Number(attributes[name] ?? 0);

function toPath([tag, attributes]: IconNode[number]): Path2D {
  const path = new Path2D();
  const a = attributes as Attributes;
  if (tag === "path") return new Path2D(String(a.d));
  if (tag === "circle") path.arc(number(a, "cx"), number(a, "cy"), number(a, "r"), 0, 2 * Math.PI);
  else if (tag === "ellipse") path.ellipse(number(a, "cx"), number(a, "cy"), number(a, "rx"), number(a, "ry"), 0, 0, 2 * Math.PI);
  else if (tag === "rect") path.roundRect(number(a, "x"), number(a, "y"), number(a, "width"), number(a, "height"), number(a, "rx"));
  else if (tag === "line") {
    path.moveTo(number(a, "x1"), number(a, "y1"));
    path.lineTo(number(a, "x2"), number(a, "y2"));
  } else if (tag === "polyline" || tag === "polygon") {
    const values = String(a.points).trim().split(/[\s,]+/).map(Number);
    for (let i = 0; i + 1 < values.length; i += 2) path.lineTo(values[i]!, values[i + 1]!);
    if (tag === "polygon") path.closePath();
  }
  return path;
}

/** Strokes a 24 x 24 icon centred on (x, y). */
export function strokeIcon(
  context: CanvasRenderingContext2D,
  node: IconNode,
  at: { x: number; y: number; size: number; color: string; width: number },
): void {
  context.save();
  context.translate(at.x - at.size / 2, at.y - at.size / 2);
  context.scale(at.size / 24, at.size / 24);
  context.strokeStyle = at.color;
  context.lineWidth = (at.width * 24) / at.size;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const element of node) context.stroke(toPath(element));
  context.restore();
}

export type SeverityShape = "octagon" | "triangle" | "square" | "circle";

/** Severity has a shape besides its colour, for eyes that do not tell the colours apart. */
export function severityShape(severity: number): SeverityShape {
  return (["octagon", "triangle", "square", "circle"] as const)[Math.min(4, Math.max(1, severity)) - 1]!;
}

/** The outline of a severity's shape around (x, y), about `radius` from the middle. */
export function shapePath(shape: SeverityShape, x: number, y: number, radius: number): Path2D {
  const path = new Path2D();
  if (shape === "circle") {
    path.arc(x, y, radius, 0, 2 * Math.PI);
    return path;
  }
  if (shape === "square") {
    path.roundRect(x - radius * 0.9, y - radius * 0.9, radius * 1.8, radius * 1.8, radius * 0.3);
    return path;
  }
  const corners = shape === "octagon" ? 8 : 3;
  const reach = shape === "octagon" ? radius * 1.06 : radius * 1.32;
  const start = shape === "octagon" ? Math.PI / 8 : -Math.PI / 2;
  const middle = shape === "triangle" ? y + radius * 0.18 : y;
  for (let i = 0; i < corners; i++) {
    const angle = start + (2 * Math.PI * i) / corners;
    path.lineTo(x + reach * Math.cos(angle), middle + reach * Math.sin(angle));
  }
  path.closePath();
  return path;
}

/** A canvas of `size` CSS pixels at double resolution, with its picture data ready for the map. */
export function drawPicture(size: number, draw: (context: CanvasRenderingContext2D) => void): ImageData {
  const scale = 2;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  context.scale(scale, scale);
  draw(context);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
