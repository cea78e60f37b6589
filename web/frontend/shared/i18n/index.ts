/** Languages of the pages: Chinese first, English second, one switch, remembered per browser. */
import { useStorage } from "@vueuse/core";
import { computed, watchSyncEffect } from "vue";
import { createI18n } from "vue-i18n";
import type { Name } from "../api/vocab";
import { type KeysOf, type Locale, pickLocale } from "./catalogue";
import { catalogue } from "./messages";

export type MessageKey = KeysOf<typeof catalogue>;

const stored = useStorage<Locale>("gridmap.locale", "zh");

export const locale = computed<Locale>({
  get: () => (stored.value === "en" ? "en" : "zh"),
  set: (next) => (stored.value = next),
});

export const i18n = createI18n({
  legacy: false,
  locale: locale.value,
  fallbackLocale: "zh",
  messages: { zh: pickLocale(catalogue, "zh"), en: pickLocale(catalogue, "en") },
});

// At once: a text composed right after the switch must already be in the new language.
watchSyncEffect(() => {
  i18n.global.locale.value = locale.value;
  document.documentElement.lang = locale.value === "zh" ? "zh-CN" : "en";
});

/** The text of a key in the language shown; parameters fill the {names}. */
export function t(key: MessageKey, params: Record<string, unknown> = {}): string {
  return i18n.global.t(key, params);
}

/** Like `t` for a key that data decides; undefined where the catalogue has no such key. */
export function findText(key: string, params: Record<string, unknown> = {}): string | undefined {
  return i18n.global.te(key, "zh") ? i18n.global.t(key, params) : undefined;
}

/** A name in both languages, for what is kept as data. */
export function nameFrom(key: MessageKey, params: Record<Locale, Record<string, unknown>>): Name {
  const say = (one: Locale) => i18n.global.t(key, params[one], { locale: one });
  return { zh: say("zh"), en: say("en") };
}

/** The language's half of a name that comes from the server. */
export function nameOf(name: Name | null | undefined, fallback = ""): string {
  return name?.[locale.value] || name?.zh || fallback;
}

export function toggleLocale(): void {
  locale.value = locale.value === "zh" ? "en" : "zh";
}
