/** The time, once a second, from one timer for all that show an age; it runs while somebody looks. */

import { type Cell, cellOf } from "./cell.js";

const TICK_MS = 1_000;

export const clock: Cell<number> = cellOf(Date.now(), () => {
  clock.set(Date.now());
  const timer = setInterval(() => clock.set(Date.now()), TICK_MS);
  return () => clearInterval(timer);
});

type Unit = readonly [unit: Intl.RelativeTimeFormatUnit, length: number];

const UNITS: readonly Unit[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
/** Made once: one for each time that is shown took a list that is scrolled 8 % of its time. */
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** Such as "3 minutes ago", in the reader's language. */
export function ago(at: number, present: number): string {
  const age = Math.max(0, present - at);
  const [unit, length] = UNITS.find(([, least]) => age >= least) ?? (["second", 1_000] as const);
  return relative.format(-Math.floor(age / length), unit);
}

/** Such as "21 Nov 2026, 14:02:11 UTC", in the reader's language and time zone. */
export function absolute(at: number): string {
  return moment.format(at);
}
