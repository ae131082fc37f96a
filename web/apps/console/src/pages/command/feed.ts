/**
 * The pulses that the page shows, and those that wait while it is paused.
 *
 * A pause freezes the view and nothing else: pulses go on coming, are counted, and are shown in their order when the
 * view goes on. So many may wait; of more the oldest are dropped, and whoever shows their history must read it anew.
 */

import type { Pulse } from "./pulses.js";

export interface FeedState {
  /** Oldest first. */
  readonly shown: readonly Pulse[];
  readonly isPaused: boolean;
  /** When the view was frozen; 0 while it goes on. */
  readonly pausedAt: number;
  /** How many pulses came since. */
  readonly waiting: number;
}

/** Handed what is shown from now on; `lost` says that pulses are missing before it. */
export type FeedListener = (pulses: readonly Pulse[], lost: boolean) => void;

const MOST_SHOWN = 60;
const MOST_WAITING = 600;

export class Feed {
  #state: FeedState = { shown: [], isPaused: false, pausedAt: 0, waiting: 0 };
  #waiting: Pulse[] = [];
  #seen: readonly string[] = [];
  readonly #changed = new Set<() => void>();
  readonly #listeners = new Set<FeedListener>();

  get = (): FeedState => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#changed.add(listener);
    return () => void this.#changed.delete(listener);
  };

  /** Be handed pulses when they are shown. */
  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Take pulses in their order; those that came before are left out. The first one is shown even when paused. */
  take(pulses: readonly Pulse[]): void {
    const fresh = pulses.filter(({ id }) => !this.#seen.includes(id));
    if (fresh.length === 0) return;
    this.#seen = [...this.#seen, ...fresh.map(({ id }) => id)].slice(-MOST_SHOWN);
    if (!this.#state.isPaused || this.#state.shown.length === 0) return this.#show(fresh, false);
    this.#waiting = [...this.#waiting, ...fresh].slice(-MOST_WAITING);
    this.#set({ waiting: this.#state.waiting + fresh.length });
  }

  pause(now: number): void {
    if (!this.#state.isPaused) this.#set({ isPaused: true, pausedAt: now });
  }

  resume(): void {
    if (!this.#state.isPaused) return;
    const [pulses, lost] = [this.#waiting, this.#state.waiting > this.#waiting.length];
    this.#waiting = [];
    this.#state = { ...this.#state, isPaused: false, pausedAt: 0, waiting: 0 };
    this.#show(pulses, lost);
  }

  #show(pulses: readonly Pulse[], lost: boolean): void {
    this.#set({ shown: [...this.#state.shown, ...pulses].slice(-MOST_SHOWN) });
    for (const listener of this.#listeners) listener(pulses, lost);
  }

  #set(changes: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#changed) listener();
  }
}
