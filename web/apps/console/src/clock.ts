/**
 * How far the clock of this device is from the server's: ages, charts and silence are told by both.
 *
 * Answers over HTTP say when they were made, in whole seconds.
 */

import { cellOf } from "./store.js";

/** Less than that is seen nowhere. */
const LEAST_MS = 60_000;
/** What took longer, such as a sleep of the machine, says nothing. */
const SLOWEST_MS = 5_000;

const ahead = cellOf(0);

/** By how many milliseconds this clock is ahead; negative where it is behind, 0 where it is as good as right. */
export const clockAhead = { get: ahead.get, subscribe: ahead.subscribe };

/** Take the `Date` of an answer to what was asked then. */
export function compare(date: string | null, askedAt: number, now = Date.now()): void {
  const at = Date.parse(date ?? "");
  if (Number.isNaN(at) || now < askedAt || now - askedAt > SLOWEST_MS) return;
  const found = now - at;
  ahead.set(Math.abs(found) < LEAST_MS ? 0 : Math.round(found / LEAST_MS) * LEAST_MS);
}
