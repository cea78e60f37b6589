import { expect, it } from "vitest";
import type { Area } from "@shared/api/areas";
import { parentIndex, visibleRows } from "./tree";

const area = (id: number): Area => ({ id, code: String(id), name: `area ${id}`, level: "grid", path: String(id), bbox: null, has_children: true, open_incidents: 0, units_on_duty: 0, cameras: 0 });
const children = new Map<number | "root", Area[]>([["root", [area(1), area(2)]], [1, [area(11), area(12)]], [11, [area(111)]]]);

it("shows the children of open areas only, in order", () => {
  const rows = visibleRows(children, new Set([1, 12]));
  expect(rows.map((row) => [row.area.id, row.depth])).toEqual([[1, 0], [11, 1], [12, 1], [2, 0]]);
});

it("finds the row of the parent", () => {
  const rows = visibleRows(children, new Set([1, 11]));
  expect(parentIndex(rows, 3)).toBe(0);
  expect(parentIndex(rows, 2)).toBe(1);
  expect(parentIndex(rows, 0)).toBe(-1);
});
