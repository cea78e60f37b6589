/** Finding a class by what a hand types first: code, pinyin initials, or any part of a name. */
import type { IncidentClass } from "./api/vocab";

function score(item: IncidentClass, query: string): number {
  const code = item.key.toLowerCase();
  const pinyin = (item.pinyin ?? "").toLowerCase();
  const bare = code.replace(".", "");
  if (code === query || bare === query || pinyin === query) return 0;
  if (code.startsWith(query) || bare.startsWith(query)) return 1;
  if (item.name.zh.startsWith(query)) return 2;
  if (pinyin.startsWith(query)) return 2;
  if (item.name.en.toLowerCase().startsWith(query)) return 3;
  if (item.name.zh.includes(query) || pinyin.includes(query)) return 4;
  return item.name.en.toLowerCase().includes(query) ? 5 : -1;
}

export function matchClasses(classes: readonly IncidentClass[], text: string): IncidentClass[] {
  const query = text.trim().toLowerCase();
  if (!query) return [...classes];
  return classes
    .map((item) => ({ item, score: score(item, query) }))
    .filter((entry) => entry.score >= 0)
    .sort((a, b) => a.score - b.score || (a.item.key < b.item.key ? -1 : 1))
    .map((entry) => entry.item);
}
