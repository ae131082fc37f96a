/** A value that changes and is read by React: what the page keeps outside of it. */

import type { Store } from "@vagus/client";
import { useSyncExternalStore } from "react";

export interface Cell<T> extends Store<T> {
  readonly set: (value: T) => void;
}

/** Listeners are told when the value is another one, by `Object.is`. */
export function cellOf<T>(first: T): Cell<T> {
  let value = first;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(value, next)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
