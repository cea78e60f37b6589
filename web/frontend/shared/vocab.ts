/** The vocabularies of the deployment, loaded once: names of classes, statuses, channels and so on. */
import { computed, shallowRef } from "vue";
import { getVocab, type IncidentClass, type Term, type Vocab } from "./api/vocab";
import { nameOf } from "./i18n";
import { iconKey } from "./icons/classes";

const loaded = shallowRef<Vocab | null>(null);
export const vocab = computed(() => loaded.value);

type ListName = Exclude<keyof Vocab, "classes" | "scheme">;
const byKey = computed(() => {
  const lists = new Map<string, Map<string, Term>>();
  for (const [name, terms] of Object.entries(loaded.value ?? {})) {
    if (Array.isArray(terms)) lists.set(name, new Map((terms as Term[]).map((term) => [term.key, term])));
  }
  return lists;
});

export async function loadVocab(): Promise<void> {
  loaded.value = await getVocab();
}

export function terms(list: ListName): Term[] {
  return loaded.value?.[list] ?? [];
}

/** The name of a key in a list; the key itself where the vocabulary does not know it. */
export function termName(list: ListName, key: string | number | null | undefined): string {
  if (key === null || key === undefined) return "";
  return nameOf(byKey.value.get(list)?.get(String(key))?.name, String(key));
}

export function findClass(key: string | null | undefined): IncidentClass | undefined {
  return key ? (byKey.value.get("classes")?.get(key) as IncidentClass | undefined) : undefined;
}

export function className(key: string): string {
  return nameOf(findClass(key)?.name, key);
}

/** Classes a report can carry: the groups themselves are no answer. */
export const leafClasses = computed(() => {
  const all = loaded.value?.classes ?? [];
  const parents = new Set(all.map((item) => item.parent));
  return all.filter((item) => !parents.has(item.key));
});

export const childrenOf = (group: string) => (loaded.value?.classes ?? []).filter((item) => item.parent === group);
export const groupClasses = computed(() => (loaded.value?.classes ?? []).filter((item) => !item.parent));

export function classIconKey(key: string): string {
  const item = findClass(key);
  return iconKey(item, findClass(item?.parent));
}
