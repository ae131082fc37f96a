/** The sources as the server tells of them, and the cards and charts that follow from that. Values and rules. */

import type { Line } from "../../charts/plot.js";
import type { Tone } from "../../ui/Mark.js";
import type { Board } from "./board.js";
import { titleOf } from "./names.js";
import type { Pulse, Status } from "./pulses.js";

export interface Field {
  readonly name: string;
  readonly kind: "number" | "text" | "flag" | "moment" | "list";
  readonly unit: string;
}

export interface SourceHealth {
  readonly available: boolean;
  readonly status: Status;
  readonly ageSeconds: number | null;
  readonly asOf: string | null;
  readonly error: string | null;
  readonly failingSince: string | null;
  readonly collections: number;
  readonly failures: number;
  readonly durationMs: number;
  readonly bytes: number;
  readonly demo: boolean;
  readonly fields: readonly Field[];
}

/** The answer of `GET /api/fusion/health`. */
export interface Health {
  readonly ok: boolean;
  readonly status: "ok" | "degraded" | "down";
  readonly sources: Readonly<Record<string, SourceHealth>>;
  readonly timestamp: string;
}

export interface Entry {
  readonly name: string;
  readonly origin: "ready" | "application" | "configuration" | "added";
  readonly kind: string;
  readonly settings: Readonly<Record<string, unknown>> | null;
  readonly hidden: readonly string[];
  /** Another one after each change; empty for a source that was not added. */
  readonly version: string;
}

/** What the kinds are called that the form of sources knows. */
export const KIND_LABELS = {
  json_file: "JSON file",
  json_list: "JSON list",
  log_file: "Log file",
  http_json: "JSON over HTTP",
  prometheus: "Prometheus endpoint",
  sql: "SQL query",
  git_activity: "Git activity",
} as const;

export type KindName = keyof typeof KIND_LABELS;

export const isKindName = (kind: string): kind is KindName => kind in KIND_LABELS;

export interface SourceFields {
  readonly name: string;
  readonly fields: readonly Field[];
}

/** Every source with its fields, in the server's order. */
export function sourcesIn(health: Health | undefined): readonly SourceFields[] {
  return Object.entries(health?.sources ?? {}).map(([name, { fields }]) => ({ name, fields }));
}

export const isDrawn = ({ kind }: Field): boolean => kind === "number" || kind === "flag" || kind === "list";

/** What counts the elements of a list, where nothing else is said. */
export const unitOf = ({ kind, unit }: Field): string => unit || (kind === "list" ? "entries" : "");

const STATES: Readonly<Record<Status, State>> = {
  ok: { tone: "good", words: "OK" },
  stale: { tone: "warn", words: "Stale" },
  failed: { tone: "bad", words: "Failed" },
  waiting: { tone: "unknown", words: "Nothing yet" },
};

interface State {
  readonly tone: Tone;
  readonly words: string;
}

const LAST_KNOWN: State = { tone: "unknown", words: "Last known" };

/** How a source does; while the connection is away nobody knows, unless it never said anything. */
export const stateOf = (status: Status, isAway = false): State =>
  isAway && status !== "waiting" ? LAST_KNOWN : STATES[status];

/** What a source waits for that nobody has made yet, as its error names it. */
export function awaitedIn(error: string): string | undefined {
  return /^(.+) is not there\b/.exec(error)?.[1];
}

/** The name of a file, without its folder. */
export const nameIn = (path: string): string => path.split(/[/\\]/).at(-1) ?? path;

export interface ChartPlan {
  readonly key: string;
  readonly title: string;
  readonly source: string;
  readonly lines: readonly Line[];
}

/** A chart for each source, or several where its values have different units: those have no axis in common. */
export function chartsOf(sources: readonly SourceFields[], board: Board): readonly ChartPlan[] {
  return sources.flatMap(({ name, fields }) => {
    const units = Map.groupBy(fields.filter(isDrawn), unitOf);
    return [...units].map(([unit, drawn]): ChartPlan => {
      const lines = drawn.map((field) => {
        return { metric: field.name, label: titleOf(field.name), unit, track: board.track(field.name) };
      });
      const alone = lines.length === 1 ? lines[0] : undefined;
      const title = alone?.label ?? (units.size > 1 && unit ? `${titleOf(name)}, ${unit}` : titleOf(name));
      return { key: `${name}:${unit}`, title, source: name, lines };
    });
  });
}

/** Whether nothing has ever come from any source: then the page shows how to begin. */
export function isUntouched(pulse: Pulse | undefined): boolean {
  return pulse !== undefined && Object.values(pulse.sources).every(({ asOf }) => asOf === 0);
}
