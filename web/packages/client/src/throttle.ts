/**
 * When to tell: at once after a pause, and else at the end of the interval that began with the last telling.
 *
 * An interval of 0 tells at once, always.
 */

import type { Clock } from "./clock.js";

export class Throttle {
  readonly #interval: () => number;
  readonly #tell: () => void;
  readonly #clock: Clock;
  #toldAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(interval: () => number, tell: () => void, clock: Clock) {
    this.#interval = interval;
    this.#tell = tell;
    this.#clock = clock;
  }

  /** There is something to tell. */
  note(): void {
    if (this.#cancel !== undefined) return;
    const interval = this.#interval();
    if (interval === 0) {
      this.#tell();
      return;
    }
    const now = this.#clock.now();
    const pause = this.#toldAt + interval - now;
    if (pause <= 0 || pause > interval)
      this.flush(); // the latter: somebody set the clock back
    else this.#cancel = this.#clock.later(pause, () => this.flush());
  }

  /** Tell now. */
  flush(): void {
    this.stop();
    this.#toldAt = this.#clock.now();
    this.#tell();
  }

  /** Tell of nothing that was noted and not told. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
