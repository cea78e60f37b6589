/** Where to go after log-in: only a path of this site, never another host. */
export function safeNext(search: string, fallback = "/"): string {
  const wanted = new URLSearchParams(search).get("next");
  if (!wanted || !wanted.startsWith("/") || wanted.startsWith("//") || wanted.includes("\\")) return fallback;
  return wanted.startsWith("/login") ? fallback : wanted;
}
