/** The time, as a parameter, so that tests can hold it. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Do it after `delay`, unless what is returned is called before. */
  later(delay: number, task: () => void): () => void;
  /** The same, for chores that must not keep a program running. */
  idly(delay: number, task: () => void): () => void;
}

/** The longest that a timer counts, 24 days; it would ring at once for anything longer, `Infinity` too. */
const LONGEST_MS = 2 ** 31 - 1;

const later = (delay: number, task: () => void): (() => void) => {
  const timer = setTimeout(task, Math.min(delay, LONGEST_MS));
  return () => clearTimeout(timer);
};

interface Unrefable {
  unref?: () => void;
}

declare const Deno: { unrefTimer?: (timer: unknown) => void } | undefined;

export const clock: Clock = {
  now: () => Date.now(),
  later,
  idly(delay, task) {
    const timer: unknown = setTimeout(task, delay);
    if (typeof timer === "object" && timer !== null) (timer as Unrefable).unref?.();
    else if (typeof Deno !== "undefined") Deno.unrefTimer?.(timer);
    return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};
