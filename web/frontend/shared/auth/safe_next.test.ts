import { expect, it } from "vitest";
import { safeNext } from "./safe_next";

it.each([
  ["?next=/?incident=1", "/?incident=1"],
  ["?next=%2Fadmin", "/admin"],
  ["", "/"],
  ["?next=//evil.example", "/"],
  ["?next=https://evil.example", "/"],
  ["?next=/%5Cevil.example", "/"],
  ["?next=/login", "/"],
])("%s leads to %s", (search, target) => expect(safeNext(search)).toBe(target));
