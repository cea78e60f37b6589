import { expect, test } from "vitest";
import type { Plan } from "@shared/api/response";
import { plansFor } from "./plans_for";

const plan = (key: string, classes: string[], severities: number[]) => ({ key, classes, severities }) as Plan;
const told = (asked: [string, number][], plans: Plan[]) => plansFor(asked.map(([key, severity]) => ({ key, severity })), plans).map((one) => [one.plan.key, one.classes]);

test("the plan that names the very class goes before that of its group", () => {
  const plans = [plan("any_s1", ["S1"], [1, 2, 3]), plan("fire", ["S1.01", "S1.02"], [1, 2])];
  expect(told([["S1.01", 1], ["S1.08", 3], ["S1.02", 2]], plans)).toEqual([["fire", ["S1.01", "S1.02"]], ["any_s1", ["S1.08"]]]);
});

test("a plan for other severities is none, and a class that none fits is left out", () => {
  expect(told([["S1.01", 3], ["C1.01", 4]], [plan("fire", ["S1.01"], [1, 2])])).toEqual([]);
  expect(told([["S10.01", 1]], [plan("s1", ["S1"], [1])])).toEqual([]);
});

test("of two as close the one for fewer severities", () => {
  expect(told([["S1.01", 1]], [plan("wide", ["S1.01"], [1, 2]), plan("narrow", ["S1.01"], [1])])).toEqual([["narrow", ["S1.01"]]]);
});
