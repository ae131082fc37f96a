/** How often pulses are made: from one second to a day. */

export interface PaceChoice {
  readonly seconds: number;
  readonly label: string;
}

export const PACES: readonly PaceChoice[] = [
  { seconds: 1, label: "1 s" },
  { seconds: 5, label: "5 s" },
  { seconds: 30, label: "30 s" },
  { seconds: 60, label: "1 min" },
  { seconds: 180, label: "3 min" },
  { seconds: 300, label: "5 min" },
  { seconds: 600, label: "10 min" },
  { seconds: 3_600, label: "1 h" },
  { seconds: 86_400, label: "24 h" },
];

const LONGEST_S = 86_400;
const SHORTEST_S = 1;
const MINUTE_S = 60;
const TYPED = /^(\d+(?:[.,]\d+)?|[.,]\d+)\s*([a-z]*)\.?$/;
const UNITS: readonly (readonly [names: string, seconds: number])[] = [
  ["s sec secs second seconds", 1],
  ["m min mins minute minutes", MINUTE_S],
  ["h hr hrs hour hours", 60 * MINUTE_S],
  ["d day days", LONGEST_S],
];

/** The seconds that somebody typed, with a unit or in minutes; a text says what is wrong with them. */
export function secondsFrom(text: string): number | string {
  const [, count = "", name = ""] = TYPED.exec(text.trim().toLowerCase()) ?? [];
  const unit = name === "" ? MINUTE_S : UNITS.find(([names]) => names.split(" ").includes(name))?.[1];
  if (count === "" || unit === undefined) return "Give a time, such as 5 s, 3 min or 1 h.";
  const seconds = Math.round(Number(count.replace(",", ".")) * unit * 1_000) / 1_000;
  if (seconds < SHORTEST_S) return "One second is the shortest.";
  if (seconds > LONGEST_S) return "A day is the longest: 24 h.";
  return seconds;
}

/** As the field takes it, and as short: 300 seconds are "5 min". */
export function paceText(seconds: number): string {
  const [unit, length] = SHORT.find(([, length]) => seconds >= length) ?? ["s", 1];
  return `${Math.round((seconds / length) * 100) / 100} ${unit}`;
}

const SHORT = [
  ["h", 60 * MINUTE_S],
  ["min", MINUTE_S],
] as const;
