/**
 * Values that age by themselves: worked out anew once a second while somebody listens, and when asked while nobody does.
 *
 * So messages cost no telling, and a page that shows nothing costs no timer.
 */

import type { Clock } from "./clock.js";
import { Listeners } from "./store.js";
import type { Store } from "./types.js";

const SECOND = 1000;

/** Calls those who want it once a second, while there are any. */
export class Ticker {
  readonly #clock: Clock;
  readonly #tasks = new Set<() => void>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(task: () => void): () => void {
    this.#tasks.add(task);
    this.#cancel ??= this.#clock.idly(SECOND, this.#tick);
    return () => {
      this.#tasks.delete(task);
      if (this.#tasks.size === 0) this.stop();
    };
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  readonly #tick = (): void => {
    this.#cancel = this.#clock.idly(SECOND, this.#tick);
    for (const task of this.#tasks) task();
  };
}

export class Polled<T> implements Store<T> {
  #value: T;
  readonly #renew: (value: T) => T;
  readonly #listeners: Listeners;
  #stop: (() => void) | undefined;

  /**
   * `renew` is given the value and returns the next one, the same object if nothing changed. `chore` is done once a second
   * while somebody listens.
   */
  constructor(value: T, renew: (value: T) => T, ticker: Ticker, chore?: () => void) {
    this.#value = value;
    this.#renew = renew;
    this.#listeners = new Listeners((isWatched) => {
      this.#stop?.();
      const tick = (): void => {
        chore?.();
        this.refresh();
      };
      this.#stop = isWatched ? ticker.add(tick) : undefined;
    });
  }

  readonly get = (): T => {
    if (this.#listeners.size === 0) this.#value = this.#renew(this.#value);
    return this.#value;
  };

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  /** Something happened that it depends on. */
  refresh(): void {
    const value = this.#renew(this.#value);
    if (value === this.#value) return;
    this.#value = value;
    this.#listeners.tell();
  }

  close(): void {
    this.#listeners.clear();
  }
}

/** `next`, or `value` if all its fields are the same. */
export function unlessSame<T extends object>(value: T, next: T): T {
  for (const key in next) if (!Object.is(next[key], value[key])) return next;
  return value;
}
