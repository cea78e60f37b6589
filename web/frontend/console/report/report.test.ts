// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import type { IncidentClass } from "@shared/api/vocab";
import { missing, toReport } from "./compose";
import { emptyDraft, hasContent } from "./draft";
import { matchClasses } from "@shared/match_class";

const make = (key: string, zh: string, en: string, pinyin: string): IncidentClass => ({
  key, name: { zh, en }, pinyin, parent: key.slice(0, 2), severity: 2, icon: null, photo_required: false, restricted: false, risk_allowed: true,
});
const classes = [make("S2.02", "盗窃", "Theft", "dq"), make("S2.03", "入室盗窃", "Burglary", "rsdq"), make("S2.04", "盗窃车辆", "Vehicle theft", "dqcl"), make("S5.02", "噪音扰民", "Noise", "zyrm")];
const found = (text: string) => matchClasses(classes, text).map((item) => item.key);

describe("finding a class", () => {
  it("takes the whole code or initials first", () => {
    expect(found("dq")[0]).toBe("S2.02");
    expect(found("s2.03")).toEqual(["S2.03"]);
    expect(found("s203")).toEqual(["S2.03"]);
  });
  it("finds a part of a name in either language", () => {
    expect(found("盗窃")).toEqual(["S2.02", "S2.04", "S2.03"]);
    expect(found("theft")).toEqual(["S2.02", "S2.04"]);
  });
  it("shows all without a word, none for nonsense", () => {
    expect(found(" ")).toHaveLength(4);
    expect(found("xyz")).toEqual([]);
  });
});

describe("a report", () => {
  const NOW = Date.parse("2026-11-22T04:00:00Z");
  const draft = { ...emptyDraft(), class_key: "S2.02", address: "建设路 24 号" };

  it("needs a class and some place", () => {
    expect(missing(emptyDraft())).toEqual(["class_key", "place"]);
    expect(missing(draft)).toEqual([]);
    expect(missing({ ...draft, address: "", lon: 116.4, lat: 34 })).toEqual([]);
  });

  it("sends nothing that was not given", () => {
    const report = toReport(draft, NOW, null);
    expect(report).not.toHaveProperty("lon");
    expect(report).not.toHaveProperty("contact");
    expect(report).not.toHaveProperty("source_ref");
    expect(report).not.toHaveProperty("join_incident_id");
    expect(report.occurred_from).toBe("2026-11-22T04:00:00.000Z");
    expect(report.occurred_precision).toBe("minute");
  });

  it("names the system of its coordinates and the precision of its time", () => {
    const report = toReport({ ...draft, lon: 116.4, lat: 34, occurred_min_ago: 180, contact_phone: " 138 " }, NOW, "i1");
    expect(report).toMatchObject({ lon: 116.4, lat: 34, crs: "WGS84", occurred_precision: "hour", contact: { name: "", phone: "138" }, join_incident_id: "i1" });
  });

  it("is a draft worth keeping once something is in it", () => {
    expect(hasContent(emptyDraft())).toBe(false);
    expect(hasContent(draft)).toBe(true);
  });
});
