/** A store with one value, whose work begins with its first listener and ends a moment after the last has left. */

import type { Store } from "@vagus/client";

export interface Cell<T> extends Store<T> {
  set(value: T): void;
  subscribe(listener?: () => void): () => void;
}

/** Tell each of them. What one throws surfaces by itself, and keeps nothing from the others. */
export function tell<A extends unknown[]>(listeners: Iterable<(...told: A) => void>, ...told: A): void {
  for (const listener of listeners) {
    try {
      listener(...told);
    } catch (error) {
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/**
 * `begin` returns what ends it. Without listeners it goes on for `linger` milliseconds: StrictMode and a change of
 * pages leave and come back at once.
 */
export function cellOf<T>(value: T, begin: () => () => void = () => () => {}, linger = 0): Cell<T> {
  const listeners = new Set<() => void>();
  let end: (() => void) | undefined;
  let ending: ReturnType<typeof setTimeout> | undefined;
  return {
    get: () => value,
    set: (next) => {
      value = next;
      tell(listeners);
    },
    subscribe: (listener = () => {}) => {
      clearTimeout(ending);
      end ??= begin();
      listeners.add(listener);
      return () => {
        if (!listeners.delete(listener) || listeners.size > 0) return;
        ending = setTimeout(() => {
          end?.();
          end = undefined;
        }, linger);
      };
    },
  };
}
