/** Turns a refusal into words: a sentence per code, with its parameters. */
import { ApiError } from "../api/client";
import { findText, t } from "../i18n";
import { toast } from "./toasts";

export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.unexpected");
  const known = findText(`error.${error.code}`, error.params);
  if (known) return known;
  if (error.status === 403) return t("error.forbidden");
  if (error.status === 404) return t("error.not_found");
  if (error.status >= 500) return t("error.server", { code: error.code });
  return t("error.refused", { code: error.code });
}

export function showError(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  toast({ tone: "bad", text: errorText(error) });
}
