/**
 * Which time charts show: a length up to now, or two moments. As it stands in an address: `24h`, or
 * `1763700000000-1763710000000`.
 */

export interface Live {
  readonly kind: "live";
  readonly lengthMs: number;
}

export interface Fixed {
  readonly kind: "fixed";
  readonly from: number;
  readonly to: number;
}

export type Range = Live | Fixed;

export interface Window {
  readonly from: number;
  readonly to: number;
}

export interface Preset {
  readonly key: string;
  readonly label: string;
  /** As it stands in a sentence. */
  readonly words: string;
  readonly lengthMs: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const PRESETS: readonly Preset[] = [
  { key: "15m", label: "15 min", words: "15 minutes", lengthMs: 15 * MINUTE },
  { key: "1h", label: "1 h", words: "hour", lengthMs: HOUR },
  { key: "6h", label: "6 h", words: "6 hours", lengthMs: 6 * HOUR },
  { key: "24h", label: "24 h", words: "24 hours", lengthMs: DAY },
  { key: "7d", label: "7 d", words: "7 days", lengthMs: 7 * DAY },
  { key: "30d", label: "30 d", words: "30 days", lengthMs: 30 * DAY },
];

export const DEFAULT_RANGE = "24h";
const DEFAULT: Range = { kind: "live", lengthMs: DAY };
/** Closer than that nothing is measured. */
const SHORTEST_MS = 5_000;
const LATEST = 253_402_300_800_000;

/** What an address says; a day if that is nothing that can be shown. */
export function rangeFrom(text: string | undefined): Range {
  const preset = PRESETS.find(({ key }) => key === text);
  if (preset !== undefined) return { kind: "live", lengthMs: preset.lengthMs };
  const moments = /^(\d{1,15})-(\d{1,15})$/.exec(text ?? "");
  if (moments === null) return DEFAULT;
  return fixed(Number(moments[1]), Number(moments[2])) ?? DEFAULT;
}

/** A window in either direction, at least five seconds long; `undefined` for moments that are none. */
export function fixed(one: number, other: number): Fixed | undefined {
  const from = Math.floor(Math.min(one, other));
  const to = Math.ceil(Math.max(one, other));
  if (!(from >= 0 && to < LATEST)) return undefined;
  const missing = Math.max(0, SHORTEST_MS - (to - from));
  return {
    kind: "fixed",
    from: Math.max(0, from - Math.floor(missing / 2)),
    to: to + Math.ceil(missing / 2),
  };
}

export function textOf(range: Range): string {
  if (range.kind === "fixed") return `${range.from}-${range.to}`;
  return PRESETS.find(({ lengthMs }) => lengthMs === range.lengthMs)?.key ?? DEFAULT_RANGE;
}

export function windowOf(range: Range, now: number): Window {
  return range.kind === "fixed" ? range : { from: now - range.lengthMs, to: now };
}

/** Such as "the last 24 hours". */
export function wordsOf(range: Range): string {
  if (range.kind === "live") {
    return `the last ${PRESETS.find(({ lengthMs }) => lengthMs === range.lengthMs)?.words ?? "day"}`;
  }
  const text = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });
  return text.formatRange(range.from, range.to);
}
