// @vitest-environment jsdom
import { expect, test } from "vitest";
import { readView, writeView } from "./state";

test("a view survives being sent as a link", () => {
  const view = { ...readView(""), group: "theft", horizon: "week", origin: "2026-11-02", picked: 41, heat: false, compare: true };
  expect(readView(writeView(view))).toEqual(view);
});

test("the usual view needs no words, and nonsense falls back to it", () => {
  expect(writeView(readView(""))).toBe("");
  expect(readView("?picked=x&panel=zzz&origin=yesterday&heat=1")).toEqual(readView(""));
});
