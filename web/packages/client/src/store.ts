/**
 * A value that tells when it changed.
 *
 * Whatever a listener throws is thrown outside, where it can be seen, and hinders neither the other listeners nor the
 * client: the library below would stop reading if an exception came back to it.
 */

import type { Store } from "./types.js";

export class Listeners<A extends unknown[] = []> {
  readonly #listeners = new Set<(...values: A) => void>();
  readonly #watched: ((watched: boolean) => void) | undefined;

  /** `watched` is told when the first listener comes and when the last one has gone. */
  constructor(watched?: (watched: boolean) => void) {
    this.#watched = watched;
  }

  get size(): number {
    return this.#listeners.size;
  }

  add(listener: (...values: A) => void): () => void {
    const own = (...values: A): void => listener(...values); // the same function may be added twice
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#watched?.(true);
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#watched?.(false);
    };
  }

  tell(...values: A): void {
    for (const listener of this.#listeners) guarded(listener, ...values);
  }

  clear(): void {
    if (this.#listeners.size === 0) return;
    this.#listeners.clear();
    this.#watched?.(false);
  }
}

export class Value<T> implements Store<T> {
  #value: T;
  readonly #listeners: Listeners;

  constructor(value: T, watched?: (watched: boolean) => void) {
    this.#value = value;
    this.#listeners = new Listeners(watched);
  }

  readonly get = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.tell();
  }
}

/** Call somebody else's function; what it throws surfaces by itself. */
export function guarded<A extends unknown[]>(call: (...values: A) => void, ...values: A): void {
  try {
    call(...values);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
