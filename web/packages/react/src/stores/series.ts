/**
 * The newest points of a chart as aligned columns of numbers, ready for a chart that draws arrays.
 *
 * Values: what was made once never changes. A batch costs a copy of what is kept, which is little beside drawing it.
 */

import { isEnvelope } from "./events.js";

export interface Series {
  /** Ascending, in milliseconds. */
  readonly times: Float64Array;
  /** By name, as long as `times`; `NaN` where there is no value. */
  readonly series: Readonly<Record<string, Float64Array>>;
  /** Another number for other points. */
  readonly version: number;
}

export interface Point {
  readonly time: number;
  readonly values: Readonly<Record<string, number>>;
}

/** More names than this are left out: no chart shows them, and data from outside must not grow the page. */
export const MOST_SERIES = 64;

export const NO_POINTS: Series = { times: new Float64Array(), series: {}, version: 0 };

/** With these points at the end, and the newest `most` (1 or more) in all. One older than those before is left out. */
export function extended(before: Series, points: readonly Point[], most: number): Series {
  let newest = before.times.at(-1) ?? 1; // 0: nobody knows when
  const added = points.filter(({ time }) => {
    const isLater = time >= newest;
    if (isLater) newest = time;
    return isLater;
  });
  const names = new Set(Object.keys(before.series));
  for (const { values } of added) {
    for (const name of Object.keys(values)) if (names.size < MOST_SERIES) names.add(name);
  }
  const column = (kept: Float64Array | undefined, read: (point: Point) => number): Float64Array => {
    const past = kept ?? new Float64Array(before.times.length).fill(Number.NaN);
    return Float64Array.from([...past, ...added.map(read)].slice(-most));
  };
  return {
    times: column(before.times, ({ time }) => time),
    series: Object.fromEntries(
      Array.from(names, (name) => [
        name,
        column(before.series[name], ({ values }) => values[name] ?? Number.NaN),
      ]),
    ),
    version: before.version + 1,
  };
}

/** The numbers of a message: itself, or those among its fields; of an event those of its payload. */
export function numbersIn(data: unknown): Readonly<Record<string, number>> {
  if (typeof data === "number") return { value: data };
  if (isEnvelope(data)) return numbersIn(data.payload);
  return Object.fromEntries(
    Object.entries(data ?? {}).filter((field): field is [string, number] => typeof field[1] === "number"),
  );
}
