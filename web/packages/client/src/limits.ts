/** What ends a wait: the time, or the signal of whoever waits. */

import type { Clock } from "./clock.js";
import { TimeoutError } from "./errors.js";
import type { RequestOptions } from "./types.js";

/** Calls `giveUp` with the reason, unless what is returned is called before. */
export function limit(
  { timeout, signal }: RequestOptions,
  clock: Clock,
  message: string,
  giveUp: (reason: unknown) => void,
): () => void {
  const abort = (): void => giveUp(signal?.reason);
  const cancel =
    timeout === undefined ? undefined : clock.later(timeout, () => giveUp(new TimeoutError(message)));
  signal?.addEventListener("abort", abort);
  return () => {
    cancel?.();
    signal?.removeEventListener("abort", abort);
  };
}

/** Settles as `work` does, if that is in time. */
export function limited<T>(
  options: RequestOptions,
  clock: Clock,
  message: string,
  work: Promise<T>,
): Promise<T> {
  let release = (): void => {};
  return new Promise<T>((resolve, reject) => {
    release = limit(options, clock, message, reject);
    work.then(resolve, reject);
  }).finally(() => release());
}
