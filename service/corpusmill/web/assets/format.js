// Figures as people read them.
//
// Rule of this file: what is not known is a dash or a word, never a zero.

const grouped = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

/** A count; from a quadrillion on as a power of ten, as a space may have 10^30 items. */
export function count(number) {
  if (number == null) return "–";
  if (!Number.isFinite(number)) return "over 10^308";
  if (number < 1e15) return grouped.format(number);
  const power = Math.floor(Math.log10(number));
  return `${(number / 10 ** power).toFixed(2)} × 10^${power}`;
}

/** A count where there is little room. */
export function compact(number) {
  return number < 10_000 ? count(number) : number < 1e15 ? short.format(number) : count(number);
}

/** Dollars; small amounts with as many digits as tell them apart. */
export function dollars(amount) {
  if (amount == null) return "unknown";
  if (amount === 0) return "$0";
  if (amount < 0.01) return `$${Number(amount.toPrecision(2))}`;
  return `$${amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: amount < 1 ? 4 : 2 })}`;
}

/** A length of time, by its two largest units. */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  const units = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = units.findIndex(([, size]) => whole >= size);
  if (at < 0) return "0 s";
  if (whole >= 1000 * 86_400) return `${grouped.format(whole / 86_400)} d`;
  let rest = whole;
  const parts = [];
  for (const [name, size] of units.slice(at, at + 2)) {
    if (rest >= size) parts.push(`${Math.floor(rest / size)} ${name}`);
    rest %= size;
  }
  return parts.join(" ");
}

/** A share as a percentage; what is not all is not told as all, and what is something not as nothing. */
export function percent(share) {
  if (share == null || Number.isNaN(share)) return "–";
  const rounded = Number((100 * share).toFixed(share < 0.1 || share > 0.99 ? 1 : 0));
  if (rounded === 100 && share < 1) return "> 99.9 %";
  if (rounded === 0 && share > 0) return "< 0.1 %";
  return `${rounded} %`;
}

/** A rate in records a second, or a minute where it is slow. */
export function rate(perSecond) {
  if (!perSecond) return "–";
  return perSecond >= 1 ? `${compact(Number(perSecond.toFixed(perSecond < 10 ? 1 : 0)))} / s` : `${(60 * perSecond).toFixed(1)} / min`;
}

/** A moment in this browser's time. */
export function moment(iso) {
  if (!iso) return "–";
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** Seconds from one moment to another, or to now. */
export function seconds(from, to) {
  return from ? (new Date(to ?? Date.now()) - new Date(from)) / 1000 : null;
}

/** A name of the API as words. */
export function words(name) {
  return name.replaceAll("_", " ");
}

/** A value of an axis, short enough to stand in a row. */
export function value(given) {
  const text = typeof given === "string" ? given : JSON.stringify(given) ?? "";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
