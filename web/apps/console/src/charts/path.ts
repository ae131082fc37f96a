/** The line of a sparkline as a path of SVG. */

import type { Window } from "./ranges.js";
import type { Columns } from "./track.js";

export const WIDTH = 120;
export const HEIGHT = 32;

/** The path of what lies in a window, broken where there are gaps, and where it ends. */
export function pathOf({ at, mean }: Columns, { from, to }: Window): { line: string; end: string } {
  const values = mean.filter((value, index): value is number => value !== null && (at[index] ?? 0) >= from);
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const height = highest - lowest;
  const pieces: string[] = [];
  let [isDrawing, end] = [false, ""];
  at.forEach((time, index) => {
    const value = mean[index] ?? null;
    if (time < from) return;
    if (value === null) {
      isDrawing = false;
      return;
    }
    const x = (((time - from) / (to - from)) * WIDTH).toFixed(1);
    const y = (height === 0 ? HEIGHT / 2 : 2 + (1 - (value - lowest) / height) * (HEIGHT - 4)).toFixed(1);
    end = `${x} ${y}`;
    pieces.push(`${isDrawing ? "L" : "M"}${end}`);
    isDrawing = true;
  });
  return { line: pieces.join(""), end };
}
