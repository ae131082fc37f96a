/**
 * The line of one metric as columns of numbers, kept outside of React.
 *
 * It begins with what the server keeps of a window; what comes later goes into the step that it falls into, on the
 * server's grid. So a line never holds more than its window has steps, however fast it is fed. Where nothing was
 * measured there is a step whose values are null, and charts leave a gap.
 */

export type Value = number | null;

export interface Columns {
  /** Where each step begins, ascending, in milliseconds since 1970. */
  readonly at: readonly number[];
  readonly min: readonly Value[];
  readonly max: readonly Value[];
  readonly mean: readonly Value[];
}

/** A step of more than three times the usual distance is a gap, as at the server. */
const GAP = 3;
/** Cutting off the oldest moves all others, so it is done for many at a time. */
const SLACK = 64;

export class Track implements Columns {
  readonly capacity: number;
  at: number[] = [];
  min: Value[] = [];
  max: Value[] = [];
  mean: Value[] = [];
  /** How long a step is; 1 keeps each value by itself. */
  stepMs = 1;
  /** Another number for other columns. */
  version = 0;
  /** Whether any step stands for values that differ. */
  hasBand = false;
  #inLast = 1;
  #newest: Value = null;
  readonly #listeners = new Set<() => void>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Begin anew with these columns. `inLast` is about how many values the last step stands for. */
  replace(columns: Columns, stepMs: number, inLast = 1): void {
    const from = Math.max(0, columns.at.length - this.capacity);
    this.at = columns.at.slice(from);
    this.min = columns.min.slice(from);
    this.max = columns.max.slice(from);
    this.mean = columns.mean.slice(from);
    this.stepMs = Math.max(1, stepMs);
    this.hasBand = this.min.some((low, index) => low !== this.max[index]);
    this.#inLast = Math.max(1, inLast);
    this.#newest = this.mean.at(-1) ?? null;
    this.#changed();
  }

  /** Take a value that was measured now; `usualMs` is how far apart such values are. What is older than the last step is left out. */
  push(time: number, value: number, usualMs: number): void {
    const at = time - (time % this.stepMs);
    const last = this.at.at(-1);
    if (last !== undefined && at < last) return;
    if (last === at && this.mean.at(-1) !== null) {
      this.#fold(value);
    } else {
      const distance = last === undefined ? 0 : at - last;
      if (last !== undefined && distance > GAP * Math.max(usualMs, this.stepMs))
        this.#append(last + this.stepMs, null);
      this.#append(at, value);
      this.#inLast = 1;
    }
    this.#newest = value;
    this.#changed();
  }

  /** The newest value there is, by itself as far as that is known; `null` if the line ends in a gap or is empty. */
  get newest(): Value {
    return this.#newest;
  }

  #fold(value: number): void {
    const end = this.at.length - 1;
    const [low, high, mean] = [this.min[end] ?? value, this.max[end] ?? value, this.mean[end] ?? value];
    this.#inLast += 1;
    this.min[end] = Math.min(low, value);
    this.max[end] = Math.max(high, value);
    this.mean[end] = mean + (value - mean) / this.#inLast;
    if (this.min[end] !== this.max[end]) this.hasBand = true;
  }

  #append(at: number, value: Value): void {
    this.at.push(at);
    for (const column of [this.min, this.max, this.mean]) column.push(value);
    const extra = this.at.length - this.capacity;
    if (extra > SLACK) for (const column of [this.at, this.min, this.max, this.mean]) column.splice(0, extra);
  }

  #changed(): void {
    this.version += 1;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * Lines side by side over the union of their times, as uPlot takes them: a null is a gap, `undefined` a time that only
 * the others have.
 */
export function aligned(
  lines: readonly Columns[],
  pick: (line: Columns) => readonly (readonly Value[])[],
): Aligned {
  const first = lines[0];
  if (first === undefined) return [[]];
  if (lines.every((line) => sameTimes(line.at, first.at))) {
    return [first.at as number[], ...lines.flatMap((line) => pick(line) as Value[][])];
  }
  const times = [...new Set(lines.flatMap((line) => line.at))].sort((a, b) => a - b);
  const places = new Map(times.map((time, index) => [time, index]));
  const columns = lines.flatMap((line) =>
    pick(line).map((values) => {
      const column = new Array<Value | undefined>(times.length).fill(undefined);
      line.at.forEach((time, index) => {
        column[places.get(time) ?? 0] = values[index];
      });
      return column;
    }),
  );
  return [times, ...columns];
}

export type Aligned = [times: number[], ...columns: (Value | undefined)[][]];

/** So many steps away from the next value a chart shows none. */
const REACH = 1.5;

/** Which column is drawn at a time: the nearest one, unless nothing is near it and no line leads across. */
export function indexAt(
  { at, mean, stepMs }: Columns & { readonly stepMs: number },
  time: number,
): number | undefined {
  const after = firstFrom(at, time);
  const [left, right] = [at[after - 1], at[after]];
  const isNearer = left !== undefined && (right === undefined || time - left <= right - time);
  const nearest = isNearer ? after - 1 : after;
  const isJoined = (mean[after - 1] ?? null) !== null && (mean[after] ?? null) !== null;
  const distance = Math.abs((at[nearest] ?? Number.POSITIVE_INFINITY) - time);
  return isJoined || distance <= REACH * stepMs ? nearest : undefined;
}

/** Where the first time stands that is not before this one. */
function firstFrom(at: readonly number[], time: number): number {
  let [low, high] = [0, at.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((at[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sameTimes(one: readonly number[], other: readonly number[]): boolean {
  if (one === other) return true;
  if (one.length !== other.length) return false;
  for (let index = 0; index < one.length; index++) if (one[index] !== other[index]) return false;
  return true;
}
