/** The line of a sparkline as paths of SVG. */

import { heightOf } from "./height.js";
import type { Window } from "./ranges.js";
import type { Columns } from "./track.js";

export const WIDTH = 120;
export const HEIGHT = 32;

export interface Paths {
  /** Broken where there are gaps. */
  readonly line: string;
  /** What lies below it. */
  readonly area: string;
  /** Where it ends. */
  readonly end: string;
}

/** The paths of what lies in a window. */
export function pathOf({ at, mean }: Columns, { from, to }: Window): Paths {
  const values = mean.filter((value, index): value is number => value !== null && (at[index] ?? 0) >= from);
  const [lowest, highest] = heightOf(Math.min(...values), Math.max(...values));
  const pieces: [x: string, y: string][][] = [];
  let isDrawing = false;
  at.forEach((time, index) => {
    const value = mean[index] ?? null;
    if (time < from) return;
    if (value !== null) {
      const x = ((time - from) / (to - from)) * WIDTH;
      const y = (1 - (value - lowest) / (highest - lowest)) * HEIGHT;
      if (!isDrawing) pieces.push([]);
      pieces.at(-1)?.push([x.toFixed(1), y.toFixed(1)]);
    }
    isDrawing = value !== null;
  });
  const lines = pieces.map((piece) => piece.map((point) => point.join(" ")).join("L"));
  const areas = pieces.map(
    (piece, index) => `M${piece[0]?.[0]} ${HEIGHT}L${lines[index]}L${piece.at(-1)?.[0]} ${HEIGHT}Z`,
  );
  return {
    line: lines.map((line) => `M${line}`).join(""),
    area: areas.join(""),
    end: pieces.at(-1)?.at(-1)?.join(" ") ?? "",
  };
}
