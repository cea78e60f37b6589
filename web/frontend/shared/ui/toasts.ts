/** Short messages at the edge of the screen: what was done (with a way back) or why it was refused. */
import { shallowReactive } from "vue";

export interface Toast {
  id: number;
  tone: "good" | "bad" | "info";
  text: string;
  detail?: string | undefined;
  action?: { label: string; run: () => void } | undefined;
}

export const toasts = shallowReactive<Toast[]>([]);
let nextId = 1;

export function dismiss(id: number): void {
  const index = toasts.findIndex((toast) => toast.id === id);
  if (index >= 0) toasts.splice(index, 1);
}

export function toast(message: Omit<Toast, "id">, lifetimeMs = message.tone === "bad" ? 12_000 : 6_000): number {
  const id = nextId++;
  toasts.push({ id, ...message });
  if (toasts.length > 4) toasts.shift();
  setTimeout(() => dismiss(id), message.action ? Math.max(lifetimeMs, 10_000) : lifetimeMs);
  return id;
}
