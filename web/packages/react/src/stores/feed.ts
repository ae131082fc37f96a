/**
 * A list of what happens that can be held still while it goes on behind.
 *
 * Rows are messages with a number, given in the order in which they came. What is shown, what waits and what is
 * unread all follow from these numbers (`viewOf`), so that a filter may change at any time.
 */

import type { Message } from "@vagus/client";
import { type Cell, cellOf } from "./cell.js";
import type { ChannelStore } from "./channel.js";

export interface FeedRow<T = unknown> {
  /** Different from all others of the feed, and the same as long as the row is there. */
  readonly id: number;
  readonly message: Message<T>;
}

export interface FeedView<T = unknown> {
  /** What is shown, newest first. */
  readonly rows: readonly FeedRow<T>[];
  readonly paused: boolean;
  /** How many came while paused, of those that are kept. */
  readonly waiting: number;
  /** How many came since all was marked read, or since the feed began, of those that are kept. */
  readonly unread: number;
}

export interface FeedActions {
  /** Hold the rows as they are. What comes is kept and counted in `waiting`. */
  readonly pause: () => void;
  /** Show all that came meanwhile. */
  readonly resume: () => void;
  readonly markRead: () => void;
  readonly clear: () => void;
}

interface FeedState<T> {
  /** Oldest first. */
  readonly rows: readonly FeedRow<T>[];
  /** What was there when the feed was paused. */
  readonly frozen: readonly FeedRow<T>[] | null;
  readonly lastId: number;
  readonly readUpTo: number;
}

export interface Feed<T> {
  readonly state: Cell<FeedState<T>>;
  readonly actions: FeedActions;
}

export function feedOf<T>(channel: ChannelStore<T>, keep: number): Feed<T> {
  const change = (changes: Partial<FeedState<T>>): void => state.set({ ...state.get(), ...changes });
  const take = (batch: readonly Message<T>[], isNew: boolean): void => {
    let { rows, lastId, readUpTo } = state.get();
    rows = [...rows, ...batch.map((message) => ({ id: ++lastId, message }))].slice(-keep);
    if (!isNew) readUpTo = lastId;
    change({ rows, lastId, readUpTo });
  };
  const state: Cell<FeedState<T>> = cellOf<FeedState<T>>(
    { rows: [], frozen: null, lastId: 0, readUpTo: 0 },
    () => {
      change({ rows: [] });
      return channel.listen(take);
    },
  );
  const actions: FeedActions = {
    pause: () => change({ frozen: state.get().frozen ?? state.get().rows }),
    resume: () => change({ frozen: null }),
    markRead: () => change({ readUpTo: state.get().lastId }),
    clear: () => change({ rows: [], frozen: state.get().frozen && [], readUpTo: state.get().lastId }),
  };
  return { state, actions };
}

/** What a person sees of a feed. */
export function viewOf<T>(
  { rows, frozen, readUpTo }: FeedState<T>,
  filter: (message: Message<T>) => boolean,
): FeedView<T> {
  const passing = (some: readonly FeedRow<T>[]): FeedRow<T>[] =>
    some.filter(({ message }) => filter(message));
  const after = (id: number): number => passing(rows.filter((row) => row.id > id)).length;
  return {
    rows: passing(frozen ?? rows).reverse(),
    paused: frozen !== null,
    waiting: frozen ? after(frozen.at(-1)?.id ?? 0) : 0,
    unread: after(readUpTo),
  };
}
