/** A pulse as the page holds it, and what changed from one to the next. Values and rules. */

import type { Envelope, FusionUpdate } from "@vagus/client";

export type Status = "waiting" | "ok" | "stale" | "failed";

export interface Mark {
  readonly status: Status;
  readonly asOf: number;
  readonly error: string;
  readonly demo: boolean;
}

export interface Pulse {
  readonly id: string;
  /** When it was made, in milliseconds since 1970. */
  readonly at: number;
  readonly number: number;
  readonly intervalSeconds: number;
  /** Whether the emitter makes no more but those that are asked for. */
  readonly paused: boolean;
  readonly values: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Record<string, Mark>>;
}

export function pulseOf({ id, at, payload }: Envelope<"fusionUpdate", FusionUpdate>): Pulse {
  const { timestamp: _timestamp, health: _health, ...values } = payload.data;
  const { number, intervalSeconds, paused, sources } = payload.pulse;
  const marks = Object.entries(sources).map(([name, mark]): [string, Mark] => {
    const { status, asOf, error } = mark;
    return [name, { status, asOf, error, demo: "demo" in mark && mark.demo === true }];
  });
  return { id, at, number, intervalSeconds, paused, values, sources: Object.fromEntries(marks) };
}

/** What can be drawn of a value: a number, a flag as 1 or 0, how many elements a list has. */
export function figureOf(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "boolean") return value ? 1 : 0;
  return Array.isArray(value) ? value.length : null;
}

export interface Change {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
  /** By how much, where both are numbers or lists. */
  readonly by: number | null;
}

/** The values that are others than before, and the sources that do otherwise, by their names. */
export function changesOf(before: Pulse | undefined, after: Pulse): readonly Change[] {
  if (before === undefined) return [];
  return Object.entries(after.values)
    .filter(([name, value]) => name in before.values && !isSame(before.values[name], value))
    .map(([name, value]) => changeOf(name, before.values[name], value));
}

/** The sources that began to fail, or answer: again, or for the first time. */
export function turnsOf(before: Pulse | undefined, after: Pulse): readonly Turn[] {
  return Object.entries(after.sources).flatMap(([name, mark]): Turn[] => {
    const was = before?.sources[name];
    if (was === undefined) return [];
    if (mark.status === "failed") return was.status === "failed" ? [] : [{ name, turn: "failed" }];
    if (!answers(mark) || answers(was)) return [];
    return [{ name, turn: was.asOf === 0 ? "answers" : "answers again" }];
  });
}

export interface Turn {
  readonly name: string;
  readonly turn: "failed" | "answers" | "answers again";
}

const answers = ({ status }: Mark): boolean => status === "ok" || status === "stale";

function changeOf(name: string, before: unknown, after: unknown): Change {
  const [was, is] = [figureOf(before), figureOf(after)];
  return { name, before, after, by: was === null || is === null ? null : is - was };
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === "object" && JSON.stringify(one) === JSON.stringify(other));
}
