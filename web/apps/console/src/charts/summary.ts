/** What a chart shows, in a sentence: for those who do not see it, and above its table. */

import { changeText, numberText } from "./format.js";
import type { Window } from "./ranges.js";
import type { Columns } from "./track.js";

export interface Named {
  readonly label: string;
  readonly unit: string;
  readonly columns: Columns;
}

interface Digest {
  readonly newest: number;
  readonly first: number;
  readonly lowest: number;
  readonly highest: number;
  readonly gaps: number;
}

/** The figures of what lies in a window; `undefined` if nothing does. */
function digestOf({ at, min, max, mean }: Columns, { from, to }: Window): Digest | undefined {
  let [first, newest]: (number | undefined)[] = [];
  let [lowest, highest, gaps] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
  for (let index = 0; index < at.length; index++) {
    const time = at[index] ?? 0;
    if (time < from || time > to) continue;
    const value = mean[index] ?? null;
    if (value === null) {
      gaps += 1;
      continue;
    }
    first ??= value;
    newest = value;
    lowest = Math.min(lowest, min[index] ?? value);
    highest = Math.max(highest, max[index] ?? value);
  }
  if (first === undefined || newest === undefined) return undefined;
  return { newest, first, lowest, highest, gaps };
}

/** Such as "Revenue 48,200 EUR, up 210 in the last 24 hours, between 47,900 and 48,300, with 1 gap." */
export function summaryOf(lines: readonly Named[], window: Window, words: string): string {
  const sentences = lines.map(({ label, unit, columns }) => {
    const digest = digestOf(columns, window);
    if (digest === undefined) return `${label}: no data in ${words}.`;
    const { newest, first, lowest, highest, gaps } = digest;
    const holes = gaps === 0 ? "" : `, with ${gaps} gap${gaps === 1 ? "" : "s"}`;
    const between = `between ${numberText(lowest)} and ${numberText(highest)}`;
    return `${label} ${numberText(newest, unit)}, ${trendOf(newest - first)} in ${words}, ${between}${holes}.`;
  });
  return sentences.join(" ");
}

function trendOf(change: number): string {
  if (change === 0) return "as at the beginning";
  return `${change > 0 ? "up" : "down"} ${changeText(Math.abs(change)).replace(/^\+/, "")}`;
}
