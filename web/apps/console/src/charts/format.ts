/** Numbers, times and ids as people read them, in the reader's language. */

const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const huge = new Intl.NumberFormat(undefined, { notation: "scientific", maximumSignificantDigits: 4 });
const signed = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2, signDisplay: "exceptZero" });
const finelySigned = new Intl.NumberFormat(undefined, {
  maximumSignificantDigits: 3,
  signDisplay: "exceptZero",
});
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

const isTiny = (value: number): boolean => value !== 0 && Math.abs(value) < 1;
/** From there on nobody counts zeros. */
const isHuge = (value: number): boolean => Math.abs(value) >= 1e15;

export function numberText(value: number | null | undefined, unit = ""): string {
  if (value === null || value === undefined) return "no data";
  const text = (isTiny(value) ? fine : isHuge(value) ? huge : plain).format(value);
  return unit ? `${text} ${unit}` : text;
}

const isWhole = (value: number): boolean => Math.abs(value - Math.round(value)) < 1e-6 && value > 0.5;

/** From there on an axis has thousands and millions. */
const LONGEST = 100_000;
const DIGITS = [0, 1, 2, 3, 4, 5, 6];
/** There is room for no more characters. */
const WIDEST = 9;

/** The marks of an axis: short, and with as many digits as it takes to tell them apart. */
export function axisTexts(marks: readonly number[]): string[] {
  const texts = plainTexts(marks);
  if (texts.every((text) => text.length <= WIDEST)) return texts;
  const short = marks.map((mark) => (mark === 0 ? "0" : huge.format(mark)));
  return new Set(short).size === marks.length ? short : texts;
}

function plainTexts(marks: readonly number[]): string[] {
  const highest = Math.max(...marks.map(Math.abs));
  const step = Math.abs((marks[1] ?? 0) - (marks[0] ?? 0)) || highest || 1;
  const isLong = highest >= LONGEST;
  const unit = isLong ? 1000 ** Math.floor(Math.log10(highest) / 3) : 1;
  const digits = DIGITS.find((count) => isWhole((step / unit) * 10 ** count));
  if (digits === undefined) return marks.map((mark) => fine.format(mark));
  const text = new Intl.NumberFormat(undefined, {
    notation: isLong ? "compact" : "standard",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return marks.map((mark) => text.format(mark));
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { dateStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const month = new Intl.DateTimeFormat(undefined, { month: "short", year: "numeric" });

/** The marks of an axis of time, so far apart; below the first of each day stands which one it is. */
export function timeTexts(marks: readonly number[], stepMs: number): string[] {
  if (stepMs >= DAY_MS) return marks.map((mark) => (stepMs >= 28 * DAY_MS ? month : day).format(mark));
  let last = "";
  return marks.map((mark) => {
    const text = (stepMs < MINUTE_MS ? time : clock).format(mark);
    const on = date.format(mark);
    const isNews = on !== last;
    last = on;
    return isNews ? `${text}\n${on}` : text;
  });
}

/** With its sign: +3. */
export const changeText = (value: number): string =>
  isHuge(value)
    ? `${value > 0 ? "+" : ""}${huge.format(value)}`
    : (isTiny(value) ? finelySigned : signed).format(value);

export const momentText = (at: number): string => moment.format(at);
export const timeText = (at: number): string => time.format(at);

/** Enough to tell one from another; the whole belongs into a title. */
export const shortId = (id: string): string => id.slice(0, 8);

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
