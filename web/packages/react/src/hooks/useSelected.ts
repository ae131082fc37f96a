/**
 * Reading a store from a component, so that it renders only when what it reads changed.
 *
 * `useSelected` compares what a selector makes of the value, `useTracked` the properties that the component reads. Both
 * keep what they compare with in a ref that is written while rendering: a cache, which a discarded render cannot spoil.
 */

import type { Client, Store } from "@vagus/client";
import { useCallback, useRef, useState, useSyncExternalStore } from "react";
import { same } from "../stores/same.js";

/** The selector for the whole value. */
export const all = <T>(value: T): T => value;

/**
 * The selected part of a store. With a `client`, its figures learn which renders were saved.
 *
 * ```ts
 * const state = useSelected(client.status, (status) => status.state);
 * ```
 */
export function useSelected<T, S>(store: Store<T>, select: (value: T) => S, client?: Client): S {
  const kept = useRef<S | undefined>(undefined);
  return useRead(
    store,
    (value) => {
      const selected = select(value);
      if (!same(kept.current, selected)) kept.current = selected;
      return kept.current as S;
    },
    client,
  );
}

/**
 * An object made of a store's value. The component renders when a property changes that it has read; one that it never
 * reads costs nothing.
 *
 * ```ts
 * const { state } = useTracked(client.status, all);
 * ```
 */
export function useTracked<T, S extends object>(store: Store<T>, make: (value: T) => S, client?: Client): S {
  const [viewOf] = useState(newTracker<S>);
  return useRead(store, (value) => viewOf(make(value)), client);
}

function useRead<T, S>(store: Store<T>, read: (value: T) => S, client: Client | undefined): S {
  const reader = useRef(read);
  reader.current = read;
  const get = useCallback(() => reader.current(store.get()), [store]);
  const subscribe = useCallback(
    (listener: () => void) => {
      let shown = get();
      return store.subscribe(() => {
        try {
          const next = get();
          client?.noteRender(next === shown);
          shown = next;
        } catch {
          // A selector's error, which rendering throws again, where a boundary gets it.
        }
        listener();
      });
    },
    [store, get, client],
  );
  return useSyncExternalStore(subscribe, get, get);
}

/** Remembers which properties were read, and makes another view once one of those is different. */
function newTracker<S extends object>(): (made: S) => S {
  const wasRead = new Set<PropertyKey>();
  let newest: S | undefined;
  let view: S | undefined;
  return (made) => {
    const value = { ...made };
    for (const key of Object.keys(value) as (keyof S)[]) {
      if (same(newest?.[key], value[key])) value[key] = newest?.[key] as S[keyof S];
      else if (wasRead.has(key)) view = undefined;
    }
    newest = value;
    view ??= new Proxy(value, {
      get: (_, key): unknown => {
        wasRead.add(key);
        return Reflect.get(newest as S, key);
      },
    });
    return view;
  };
}
