/** Whether the report form is open, and what it starts with. */
import { shallowRef } from "vue";

export interface ReportStart {
  place?: { lon: number; lat: number };
  address?: string;
}

export const reportStart = shallowRef<ReportStart | null>(null);

export function openReport(start: ReportStart = {}): void {
  reportStart.value = start;
}

export function closeReport(): void {
  reportStart.value = null;
}
