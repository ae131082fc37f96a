/** Numbers and times as people read them, in the reader's language. */

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 2 });
const signed = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, signDisplay: "exceptZero" });
const finelySigned = new Intl.NumberFormat(undefined, {
  maximumSignificantDigits: 3,
  signDisplay: "exceptZero",
});
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

const isTiny = (value: number): boolean => value !== 0 && Math.abs(value) < 1;

export function numberText(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined) return "no data";
  const text = (isTiny(value) ? fine : plain).format(value);
  return unit ? `${text} ${unit}` : text;
}

/** Short enough for an axis. */
export const axisText = (value: number): string => (isTiny(value) ? fine : compact).format(value);

/** With its sign: +3. */
export const changeText = (value: number): string => (isTiny(value) ? finelySigned : signed).format(value);

export const momentText = (at: number): string => moment.format(at);
export const timeText = (at: number): string => time.format(at);

const UNITS: readonly (readonly [string, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** Such as "5 minutes" or "1.5 hours". */
export function durationText(seconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? ["second", 1];
  const count = Math.round((seconds / length) * 10) / 10;
  return `${plain.format(count)} ${unit}${count === 1 ? "" : "s"}`;
}

export function bytesText(bytes: number): string {
  const names = ["B", "KiB", "MiB", "GiB"];
  const power = bytes < 1 ? 0 : Math.min(names.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${plain.format(Math.round((bytes / 1024 ** power) * 10) / 10)} ${names[power] ?? ""}`;
}
