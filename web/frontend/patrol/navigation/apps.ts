/**
 * The addresses that open another map app with a way to the scene. Only the place and the kind of travel are told:
 * no address, no class, no number. Sources: the apps' own URI pages, and RFC 5870 for `geo:`.
 */
import type { LonLat } from "@shared/format/geo";
import { toBd09, toGcj02 } from "./china_crs";

export type MapApp = "amap" | "tencent" | "baidu" | "geo";
export type TravelMode = "foot" | "ebike" | "car" | "emergency_car";

export const MAP_APPS: readonly MapApp[] = ["amap", "tencent", "baidu", "geo"];

const AMAP_MODES: Record<TravelMode, string> = { car: "0", emergency_car: "0", foot: "2", ebike: "3" };
const TENCENT_MODES: Record<TravelMode, string> = { car: "drive", emergency_car: "drive", foot: "walk", ebike: "bike" };
const BAIDU_MODES: Record<TravelMode, string> = { car: "driving", emergency_car: "driving", foot: "walking", ebike: "riding" };

/** Six decimals are a tenth of a metre. */
const digits = (value: number) => value.toFixed(6);

function asMode(mode: string): TravelMode {
  return mode in AMAP_MODES ? (mode as TravelMode) : "car";
}

/**
 * The address to open.
 *
 * @param place the scene in WGS84; converted here to the app's own system and to no other
 * @param mode the unit's way of travel; an unknown one counts as a car
 * @param label what the other app shows at the end of the way
 * @param isApple whether the phone is an iPhone: Amap and Baidu answer to other names there
 */
export function navigationUri(app: MapApp, place: LonLat, mode: string, label: string, isApple: boolean): string {
  const name = encodeURIComponent(label);
  const travel = asMode(mode);
  if (app === "geo") return `geo:${digits(place.lat)},${digits(place.lon)}?q=${digits(place.lat)},${digits(place.lon)}(${name})`;
  if (app === "baidu") {
    const { lon, lat } = toBd09(place);
    const target = encodeURIComponent(`name:${label}|latlng:${digits(lat)},${digits(lon)}`);
    return `${isApple ? "baidumap" : "bdapp"}://map/direction?destination=${target}&coord_type=bd09ll&mode=${BAIDU_MODES[travel]}&src=gridmap`;
  }
  const { lon, lat } = toGcj02(place);
  if (app === "tencent") {
    return `qqmap://map/routeplan?type=${TENCENT_MODES[travel]}&to=${name}&tocoord=${digits(lat)},${digits(lon)}&referer=gridmap`;
  }
  // dev=0 says that the numbers are in the app's own system already.
  const query = `sourceApplication=gridmap&dlat=${digits(lat)}&dlon=${digits(lon)}&dname=${name}&dev=0&t=${AMAP_MODES[travel]}`;
  return isApple ? `iosamap://path?${query}` : `amapuri://route/plan/?${query}`;
}
