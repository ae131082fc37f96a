/**
 * The tracks of all metrics over one length of time: filled from the history, and carried on by pulses.
 */

import { Track } from "../../charts/track.js";
import { figureOf, type Pulse } from "./pulses.js";

/** The answer of `GET /api/fusion/history`. */
export interface History {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly tier: string;
  readonly series: readonly {
    readonly metric: string;
    readonly at: readonly number[];
    readonly min: readonly (number | null)[];
    readonly max: readonly (number | null)[];
    readonly mean: readonly (number | null)[];
  }[];
}

/** The server writes what it measured after a second; what is younger than this may be missing from its answer. */
const UNWRITTEN_MS = 5_000;

export class Board {
  /** Which source gives a metric: while that one fails its value is merely remembered, which is a gap in a chart. */
  sources: ReadonlyMap<string, string> = new Map();
  readonly #capacity: number;
  readonly #tracks = new Map<string, Track>();

  constructor(points: number) {
    this.#capacity = points * 2;
  }

  /** The track of a metric, which is empty until something is known of it. */
  track(metric: string): Track {
    const known = this.#tracks.get(metric) ?? new Track(this.#capacity);
    this.#tracks.set(metric, known);
    return known;
  }

  /** Begin anew with what the server keeps, and with those pulses that it may not have written yet. */
  load({ toMs, stepMs, series }: History, pulses: readonly Pulse[]): void {
    const intervalMs = (pulses.at(-1)?.intervalSeconds ?? 1) * 1000;
    for (const { metric, at, min, max, mean } of series) {
      const inLast = Math.round((toMs - (at.at(-1) ?? toMs)) / intervalMs);
      this.track(metric).replace({ at, min, max, mean }, stepMs, inLast);
    }
    this.push(pulses.filter((pulse) => pulse.at > toMs - UNWRITTEN_MS));
  }

  push(pulses: readonly Pulse[]): void {
    for (const pulse of pulses) {
      for (const [metric, track] of this.#tracks) {
        const mark = pulse.sources[this.sources.get(metric) ?? ""];
        const figure = mark?.status === "failed" ? null : figureOf(pulse.values[metric]);
        if (figure !== null) track.push(pulse.at, figure, pulse.intervalSeconds * 1000);
      }
    }
  }
}
