// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { alarmText } from "./alarm_text";

const gap = { minutes: 5, kinds: [], capability: null };

describe("the text of a cover alarm", () => {
  it("counts the areas and names the first three", () => {
    const areas = ["东街", "西街", "南街", "北街"].map((name) => ({ name }));
    const text = alarmText({ kind: "cover_gap", params: { ...gap, name: "示范区", count: 12, cause: "unstaffed", areas } });
    expect(text).toContain("示范区(东街、西街、南街等 12 处)");
    expect(text).toContain("无人在岗");
  });

  it("tells one area as itself", () => {
    const text = alarmText({ kind: "cover_gap", params: { ...gap, name: "东街", count: 1, cause: "away", areas: [{ name: "东街" }] } });
    expect(text.startsWith("东街:5 分钟内")).toBe(true);
  });
});
