import { get } from "./client";
import type { Name } from "./vocab";

export interface LegendEntry {
  label: Name;
  color: string;
  value?: string | null;
}

export interface LayerInfo {
  key: string;
  title: Name;
  kind: "tile" | "live";
  geometry: "point" | "line" | "polygon";
  min_zoom: number;
  max_zoom: number;
  exact_from_zoom: number;
  default_on: boolean;
  /** MapLibre paint values, bare or under `paint`. */
  style: Record<string, unknown> & { paint?: Record<string, unknown> };
  legend: LegendEntry[];
  columns?: { name: string; kind: string }[];
  /** Carries the layer's version; {z}, {x}, {y} stay for the map. */
  url: string;
}

export const listLayers = () => get<{ items: LayerInfo[] }>("/api/layers");
