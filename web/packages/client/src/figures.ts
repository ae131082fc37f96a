/** Counting what goes on, and the picture of it that is renewed once a second. */

import type { Clock } from "./clock.js";
import { unlessSame } from "./polled.js";
import type { Figures } from "./types.js";

const SECOND = 1000;
/** The share of the newest round trip in the average. */
const WEIGHT = 0.2;

/** What is only known elsewhere. */
export type Gauges = Pick<Figures, "queued" | "subscriptions" | "held">;

type Counted = Omit<Figures, keyof Gauges | "rate">;

export class Counts {
  received = 0;
  dropped = 0;
  told = 0;
  saved = 0;
  renders = 0;
  reconnections = 0;
  latency: number | null = null;
  averageLatency: number | null = null;
  readonly #clock: Clock;
  #sampledAt: number;
  #sampled = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sampledAt = clock.now();
  }

  noteLatency(duration: number): void {
    this.latency = duration;
    this.averageLatency = (this.averageLatency ?? duration) * (1 - WEIGHT) + duration * WEIGHT;
  }

  /** The picture as of now, after `figures`. The rate is that of the last whole second or more. */
  renew(figures: Figures | null, gauges: Gauges): Figures {
    const elapsed = this.#clock.now() - this.#sampledAt;
    const next = { ...(this as Counted), rate: figures?.rate ?? 0, ...gauges };
    if (elapsed >= SECOND) {
      next.rate = Math.round(((this.received - this.#sampled) * SECOND) / elapsed);
      this.#sampledAt += elapsed;
      this.#sampled = this.received;
    }
    return figures === null ? next : unlessSame(figures, next);
  }
}
