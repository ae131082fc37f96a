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

const LONGEST_MINUTES = 1_440;
const SHORTEST_MINUTES = 1 / 60;

/** The minutes that somebody typed; a text says what is wrong with them. */
export function minutesFrom(text: string): number | string {
  const minutes = Number(text.trim().replace(",", "."));
  if (text.trim() === "" || !Number.isFinite(minutes)) return "Give a number of minutes, such as 3 or 0.5.";
  if (minutes < SHORTEST_MINUTES) return "One second is the shortest: 0.0167 minutes.";
  if (minutes > LONGEST_MINUTES) return "A day is the longest: 1440 minutes.";
  return minutes;
}
