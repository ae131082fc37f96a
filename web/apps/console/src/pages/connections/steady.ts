/**
 * The order of rows while somebody is about to act on one: figures go on changing, but no row moves away from under the
 * pointer or the keys.
 */

import { type RefObject, useEffect, useMemo, useState } from "react";

/** So long after the pointer or the list has moved it counts as at rest. */
const CALM_MS = 1_500;

/** The rows in the order of `keys`; those that are not in it come last, in their own order. */
export function inOrder<Row>(
  keys: readonly string[],
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): readonly Row[] {
  const left = new Map<string, Row>();
  for (const row of rows) left.set(keyOf(row), row);
  const known: Row[] = [];
  for (const key of keys) {
    const row = left.get(key);
    if (row !== undefined && left.delete(key)) known.push(row);
  }
  const all = [...known, ...left.values()];
  return all.every((row, place) => row === rows[place]) ? rows : all;
}

export interface Steady<Row> {
  readonly rows: readonly Row[];
  /** They would stand otherwise if their order were not held. */
  readonly isBehind: boolean;
  /** Take the order that they have by now, and hold that. */
  readonly catchUp: () => void;
}

/** Rows whose order is kept while `isHeld`; another `sort` is another order, and is followed at once. */
export function useSteadyRows<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  sort: string,
  isHeld: boolean,
): Steady<Row> {
  const [held, setHeld] = useState<{ readonly sort: string; readonly keys: readonly string[] }>();
  if (isHeld !== (held !== undefined)) setHeld(isHeld ? { sort, keys: rows.map(keyOf) } : undefined);
  const keys = held?.sort === sort ? held.keys : undefined;
  const shown = useMemo(() => (keys ? inOrder(keys, rows, keyOf) : rows), [keys, rows, keyOf]);
  return { rows: shown, isBehind: shown !== rows, catchUp: () => setHeld({ sort, keys: rows.map(keyOf) }) };
}

/** Whether the pointer moves over an element, or it is scrolled. */
export function useIsMoved(element: RefObject<HTMLElement | null>): boolean {
  const [isMoved, setMoved] = useState(false);
  useEffect(() => {
    const watched = element.current;
    let movedAt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => {
      const left = movedAt + CALM_MS - performance.now();
      if (left > 0) timer = setTimeout(look, left);
      else {
        movedAt = 0;
        setMoved(false);
      }
    };
    const note = (): void => {
      if (movedAt === 0) timer = setTimeout(look, CALM_MS);
      movedAt = performance.now();
      setMoved(true);
    };
    const options = { passive: true };
    watched?.addEventListener("pointermove", note, options);
    watched?.addEventListener("scroll", note, options);
    return () => {
      clearTimeout(timer);
      watched?.removeEventListener("pointermove", note);
      watched?.removeEventListener("scroll", note);
    };
  }, [element]);
  return isMoved;
}
