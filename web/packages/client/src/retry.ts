/** How long to wait before another attempt. */

import type { RetrySettings } from "./connection.js";
import type { RetryOptions } from "./types.js";

export function retrySettings(options: RetryOptions = {}): RetrySettings {
  const { tries = 5, factor = 2, minDelay = 1000, maxDelay = Math.max(30_000, minDelay) } = options;
  if (!(tries >= 0)) throw new RangeError("retry.tries is 0 or more");
  if (!(factor >= 1 && Number.isFinite(factor))) throw new RangeError("retry.factor is 1 or more");
  if (!(minDelay > 0 && minDelay <= maxDelay && maxDelay < 2 ** 31)) {
    throw new RangeError("retry.minDelay is more than 0 and at most retry.maxDelay");
  }
  return { tries, factor, minDelay, maxDelay };
}

/**
 * The delay before a retry, of which the first is number 0.
 *
 * It lies between the delay of its number and twice that, so that those who were cut off together do not come back
 * together. Near `maxDelay` it begins lower instead of ending higher, for the same reason.
 */
export function retryDelay(
  number: number,
  settings: RetrySettings,
  random: () => number = Math.random,
): number {
  const { factor, minDelay, maxDelay } = settings;
  const least = Math.max(minDelay, Math.min(maxDelay / 2, minDelay * factor ** number));
  return Math.round(Math.min(maxDelay, least * (1 + random())));
}
