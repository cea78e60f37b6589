/** Makes a map that asks nothing of any other host: worker, tiles and labels all come from this server. */
import { addProtocol, type AddProtocolAction, Map as GlMap, type MapOptions, ScaleControl, setWorkerUrl, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import "maplibre-gl/dist/maplibre-gl.css";
import "./map.css";
import { Protocol } from "pmtiles";
import { get } from "../api/client";
import type { Locale } from "../i18n/catalogue";
import type { Theme } from "../theme/theme";

/** Labels are drawn from the page's own font: a style without glyphs needs no glyph server. */
export const LABEL_FONT = ["Noto Sans SC Variable", "sans-serif"];

let prepared = false;

/** Where the map's worker is fetched from. */
export const mapWorkerAddress = () => new URL(workerUrl, location.href).href;
let handedOn: string | null = null;

/**
 * A worker's script is asked for past the page's service worker unless it lies in its scope, so it would be missing
 * without a line: where a service worker watches over the page, the page itself fetches the script and hands it on.
 */
async function loadWorker(): Promise<void> {
  if (!globalThis.navigator?.serviceWorker?.controller || prepared) return;
  const answer = await fetch(mapWorkerAddress()).catch(() => null);
  if (answer?.ok) handedOn = URL.createObjectURL(await answer.blob());
}

let around = (load: AddProtocolAction): AddProtocolAction => load;
/** Puts something around the loading of the base map's tiles; said before the first map is made. */
export function wrapTiles(wrap: (load: AddProtocolAction) => AddProtocolAction): void {
  around = wrap;
}

function prepare(): void {
  if (prepared) return;
  prepared = true;
  setWorkerUrl(handedOn ?? mapWorkerAddress());
  addProtocol("pmtiles", around(new Protocol({ metadata: true }).tile));
}

const GROUND: Record<Theme, string> = { dark: "#10171d", light: "#e8ecef" };

function plainStyle(theme: Theme): StyleSpecification {
  return {
    version: 8,
    sources: {},
    layers: [{ id: "ground", type: "background", paint: { "background-color": GROUND[theme] } }],
  };
}

const FONT_PATIENCE_MS = 5_000;

/**
 * The map draws a label once and keeps the picture: a character whose part of the font comes later would stay an empty
 * box on a workstation without Chinese fonts. All parts together are under 5 MB and are kept by the browser.
 */
async function loadLabelFont(): Promise<void> {
  const parts = [...document.fonts].filter((face) => face.family.includes("Noto Sans SC"));
  const all = Promise.allSettled(parts.map((face) => face.load()));
  await Promise.race([all, new Promise((done) => setTimeout(done, FONT_PATIENCE_MS))]);
}

/** The base map's style, or plain ground when there is none: the live layers must show either way. */
export async function loadStyle(theme: Theme, locale: Locale): Promise<StyleSpecification> {
  const font = loadLabelFont();
  await loadWorker();
  try {
    const style = await get<StyleSpecification>("/api/basemap/style.json", { theme, lang: locale });
    await font;
    return style.layers.length > 0 ? style : { ...plainStyle(theme), ...style, layers: plainStyle(theme).layers };
  } catch {
    return plainStyle(theme);
  }
}

export interface MapPlace {
  bounds: [number, number, number, number] | null;
  center: [number, number] | null;
}

export function createMap(container: HTMLElement, style: StyleSpecification, place: MapPlace, padding = 0): GlMap {
  prepare();
  const options: MapOptions = {
    container,
    style,
    attributionControl: { compact: true },
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    maxZoom: 20,
    fadeDuration: 120,
    // A worker fetches from its own address: paths must name the host.
    transformRequest: (url) => ({ url: url.startsWith("/") ? location.origin + url : url }),
  };
  if (place.bounds) {
    options.bounds = place.bounds;
    options.fitBoundsOptions = { padding };
  } else {
    options.center = place.center ?? [105, 35];
    options.zoom = place.center ? 12 : 3;
  }
  const map = new GlMap(options);
  map.touchZoomRotate.disableRotation();
  map.addControl(new ScaleControl({ maxWidth: 120, unit: "metric" }), "bottom-left");
  return map;
}
