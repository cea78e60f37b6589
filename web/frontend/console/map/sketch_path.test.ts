import { describe, expect, it } from "vitest";
import { addCorner, type Corner, crossesItself, emptyPath, faultOf, moveCorner, redo, toGeometry, undo } from "./sketch_path";

const draw = (...corners: Corner[]) => corners.reduce(addCorner, emptyPath);
const SQUARE: Corner[] = [[0, 0], [1, 0], [1, 1], [0, 1]];

describe("a sketch", () => {
  it("takes back and does again", () => {
    const path = moveCorner(draw([0, 0], [1, 0]), 1, [2, 0]);
    expect(undo(path).corners).toEqual([[0, 0], [1, 0]]);
    expect(redo(undo(path)).corners).toEqual([[0, 0], [2, 0]]);
    expect(undo(emptyPath)).toBe(emptyPath);
    expect(addCorner(undo(path), [5, 5]).future).toEqual([]);
  });

  it("knows a ring that crosses itself", () => {
    expect(crossesItself(SQUARE)).toBe(false);
    expect(crossesItself([[0, 0], [1, 1], [1, 0], [0, 1]])).toBe(true);
  });

  it.each([
    ["line", [[0, 0]], "too_few"],
    ["line", [[0, 0], [1, 0]], null],
    ["polygon", [[0, 0], [1, 0]], "too_few"],
    ["polygon", SQUARE, null],
  ] as const)("%s of %j: %s", (kind, corners, fault) => expect(faultOf(kind, corners)).toBe(fault));

  it("closes a polygon and keeps a line open", () => {
    expect(toGeometry("polygon", SQUARE)).toEqual({ type: "Polygon", coordinates: [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]] });
    expect(toGeometry("line", [[0, 0], [1, 0]]).coordinates).toHaveLength(2);
  });
});
