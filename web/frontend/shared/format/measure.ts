import { locale, t } from "../i18n";

/** Metres under a kilometre, then kilometres with one decimal. */
export function distance(metres: number | null | undefined): string {
  if (metres === null || metres === undefined) return "–";
  if (metres < 1000) return t("unit.metres", { n: metres < 100 ? Math.round(metres) : Math.round(metres / 10) * 10 });
  return t("unit.kilometres", { n: (metres / 1000).toFixed(1) });
}

/** A count with the thousands marked. */
export function count(value: number): string {
  return new Intl.NumberFormat(locale.value === "zh" ? "zh-CN" : "en-GB").format(value);
}

export function coordinates(lon: number, lat: number): string {
  return `${lon.toFixed(6)}, ${lat.toFixed(6)}`;
}
