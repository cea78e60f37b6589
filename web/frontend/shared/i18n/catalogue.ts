/** One source for both languages: an entry without its second language is a type error. */
export type Bilingual = readonly [zh: string, en: string];
export type Group = Readonly<Record<string, Bilingual>>;
export type Catalogue = Readonly<Record<string, Group>>;
export type Locale = "zh" | "en";
export const LOCALES: readonly Locale[] = ["zh", "en"];

export type KeysOf<C extends Catalogue> = {
  [G in keyof C & string]: `${G}.${keyof C[G] & string}`;
}[keyof C & string];

export type Messages = Record<string, Record<string, string>>;

/** The messages of one language, in the shape vue-i18n reads. */
export function pickLocale(catalogue: Catalogue, locale: Locale): Messages {
  const column = locale === "zh" ? 0 : 1;
  const messages: Messages = {};
  for (const [group, entries] of Object.entries(catalogue)) {
    messages[group] = Object.fromEntries(Object.entries(entries).map(([key, text]) => [key, text[column]]));
  }
  return messages;
}
