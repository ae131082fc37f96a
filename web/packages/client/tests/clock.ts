import type { Clock } from "../src/clock.js";

/** Time that passes when it is told to. */
export class HeldClock implements Clock {
  #now = 1_000_000;
  #tasks: { at: number; task: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  later(delay: number, task: () => void): () => void {
    const entry = { at: this.#now + delay, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  idly(delay: number, task: () => void): () => void {
    return this.later(delay, task);
  }

  get waiting(): number {
    return this.#tasks.length;
  }

  /** Let it pass; `asleep`: all that falls due runs at the end, as on a machine that slept. */
  pass(duration: number, asleep = false): void {
    const end = this.#now + duration;
    if (asleep) this.#now = end;
    for (;;) {
      const next = this.#tasks.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
    }
    this.#now = end;
  }
}
