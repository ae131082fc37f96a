/** What of the address is the command centre's: `?range=6h` or two moments, and `?paused=1`. */

export interface CommandSearch {
  /** As `charts/ranges.ts` reads it; left out for a day. */
  readonly range?: string;
  readonly paused?: 1;
}

const RANGE = /^(15m|1h|6h|7d|30d|\d{1,15}-\d{1,15})$/;

export function commandSearch({ range, paused }: Readonly<Record<string, unknown>>): CommandSearch {
  return {
    ...(typeof range === "string" && RANGE.test(range) ? { range } : {}),
    ...(paused === 1 || paused === "1" || paused === true ? { paused: 1 } : {}),
  };
}
