import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { globSync } from "tinyglobby";
import { describe, expect, it } from "vitest";
import { pickLocale } from "./catalogue";
import { catalogue } from "./messages";

const entries = Object.entries(catalogue).flatMap(([group, texts]) =>
  Object.entries(texts as Record<string, readonly [string, string]>).map(([key, [zh, en]]) => ({ key: `${group}.${key}`, zh, en })),
);
const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();

describe("the catalogue", () => {
  it.each(entries)("$key speaks both languages with the same parameters", ({ zh, en }) => {
    expect(zh.trim()).not.toBe("");
    expect(en.trim()).not.toBe("");
    expect(names(zh)).toEqual(names(en));
    // These would be read as linked messages or plurals.
    expect(zh + en).not.toMatch(/[@|]/);
  });

  it("has no Chinese in the English half", () => {
    const allowed = new Set(["app.other_language"]);
    for (const { key, en } of entries) if (!allowed.has(key)) expect(en, key).not.toMatch(/\p{Script=Han}/u);
  });

  it("names no group twice: one would silently hide the other", () => {
    const files = import.meta.glob<Record<string, unknown>>("./messages/*.ts", { eager: true });
    const groups = Object.entries(files).flatMap(([path, module]) => (path.endsWith("/index.ts") ? [] : Object.keys(module)));
    expect(groups).toEqual([...new Set(groups)]);
  });

  it("gives each language its half", () => {
    expect(pickLocale(catalogue, "zh").common!.close).toBe("关闭");
    expect(pickLocale(catalogue, "en").common!.close).toBe("Close");
  });

  it("keeps words out of the components", () => {
    const files = globSync(["**/*.vue", "**/*.ts"], { cwd: resolve(import.meta.dirname, "../.."), absolute: true, ignore: ["node_modules/**", "**/*.test.ts", "shared/i18n/**"] });
    for (const file of files) {
      const code = readFileSync(file, "utf8").replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      expect(code, file).not.toMatch(/\p{Script=Han}/u);
    }
  });
});
