import { expect, it } from "vitest";
import { nextStep } from "./allowed";

const me = { id: "me", name: "me" };
const other = { id: "other", name: "other" };
const all = ["handle", "take_over", "offer", "verify", "return", "reopen"];

it.each([
  ["a new case is taken first", { status: "open", handler: null, dispatches_open: 0, allowed: all }, "handle"],
  ["then somebody is sent", { status: "open", handler: me, dispatches_open: 0, allowed: all }, "dispatch"],
  ["then one waits", { status: "assigned", handler: me, dispatches_open: 1, allowed: all }, "wait"],
  ["then one verifies", { status: "awaiting_verification", handler: me, dispatches_open: 0, allowed: all }, "verify"],
  ["a returned case is sent again", { status: "returned", handler: other, dispatches_open: 0, allowed: all }, "dispatch"],
  ["a closed one may be reopened", { status: "closed", handler: me, dispatches_open: 0, allowed: all }, "reopen"],
  ["who may nothing sees nothing to press", { status: "open", handler: other, dispatches_open: 0, allowed: [] }, "none"],
] as const)("%s", (_name, incident, step) => expect(nextStep({ ...incident, allowed: [...incident.allowed] }, "me")).toBe(step));
