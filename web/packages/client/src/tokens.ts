/** Fetching tokens, and renewing them before they expire. */

import type { Clock } from "./clock.js";

const AGAIN_MS = 5000;

/** Why there is no token, and whether it is of no use to ask again. */
export interface NoToken {
  readonly message: string;
  readonly isFinal: boolean;
}

export function noToken(error: unknown): NoToken {
  const { name, message, status } = (error ?? {}) as { name?: unknown; message?: unknown; status?: unknown };
  // Ours, by its name since it may have come from another thread, or the answer of an HTTP client.
  const isFinal = name === "UnauthorizedError" || status === 401 || status === 403;
  return { message: String(message ?? error), isFinal };
}

/** Calls `renew` when the token is about to expire, and again a while after it failed. */
export class Renewal {
  readonly #clock: Clock;
  readonly #renew: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, renew: () => void) {
    this.#clock = clock;
    this.#renew = renew;
  }

  /** What a reply says of its token. */
  plan({ expires = false, ttl = 0 }: { readonly expires?: boolean; readonly ttl?: number }): void {
    this.stop();
    if (expires) this.#cancel = this.#clock.later(ttl * 1000, this.#renew);
  }

  postpone(): void {
    this.stop();
    this.#cancel = this.#clock.later(AGAIN_MS * (1 + Math.random()), this.#renew);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
