/** The report being written: kept in the browser, so that neither a lost server nor a closed tab loses it. */
import { useStorage } from "@vueuse/core";

export interface Draft {
  channel: string;
  source_ref: string;
  class_key: string | null;
  severity: number;
  text: string;
  address: string;
  lon: number | null;
  lat: number | null;
  contact_name: string;
  contact_phone: string;
  /** Minutes ago; 0 is now. */
  occurred_min_ago: number;
  drill: boolean;
}

export function emptyDraft(): Draft {
  return {
    channel: "operator",
    source_ref: "",
    class_key: null,
    severity: 3,
    text: "",
    address: "",
    lon: null,
    lat: null,
    contact_name: "",
    contact_phone: "",
    occurred_min_ago: 0,
    drill: false,
  };
}

export const draft = useStorage<Draft>("gridmap.report-draft", emptyDraft(), localStorage, { mergeDefaults: true });

export function hasContent(value: Draft): boolean {
  return Boolean(value.class_key || value.text.trim() || value.address.trim() || value.lon !== null || value.contact_phone.trim());
}

export function clearDraft(): void {
  draft.value = emptyDraft();
}
