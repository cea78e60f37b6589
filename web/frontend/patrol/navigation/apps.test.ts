import { describe, expect, it } from "vitest";
import { MAP_APPS, navigationUri } from "./apps";

const SUZHOU = { lon: 120.5811071, lat: 31.3011601 };
const open = (app: (typeof MAP_APPS)[number], mode = "car", isApple = false) => navigationUri(app, SUZHOU, mode, "任务地点", isApple);

describe("navigationUri", () => {
  it("gives Amap and Tencent GCJ-02", () => {
    expect(open("amap")).toMatch(/^amapuri:\/\/route\/plan\/\?.*dlat=31\.2989\d\d&dlon=120\.5852\d\d.*&dev=0&t=0$/);
    expect(open("tencent", "foot")).toMatch(/^qqmap:\/\/map\/routeplan\?type=walk&.*tocoord=31\.2989\d\d,120\.5852\d\d&/);
  });

  it("gives Baidu BD-09 and says so", () => {
    const uri = decodeURIComponent(open("baidu", "ebike"));
    expect(uri).toMatch(/^bdapp:.*latlng:31\.3052\d\d,120\.5917\d\d&coord_type=bd09ll&mode=riding/);
  });

  it("gives every other app WGS84", () => {
    expect(decodeURIComponent(open("geo"))).toBe("geo:31.301160,120.581107?q=31.301160,120.581107(任务地点)");
  });

  it("calls the apps by their iPhone names there", () => {
    expect(open("amap", "car", true)).toMatch(/^iosamap:\/\/path\?/);
    expect(open("baidu", "car", true)).toMatch(/^baidumap:/);
  });

  it("takes an unknown way of travel for a car", () => {
    for (const app of MAP_APPS) expect(open(app, "hovercraft")).toBe(open(app, "car"));
  });
});
