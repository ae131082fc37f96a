/**
 * One source: what it says, by how much that changed, its last hour, and how it does.
 *
 * A number that changed pulses in gold, once. Where people want less motion it keeps a ring of gold instead until the
 * next pulse; the words beside it say the same.
 */

import { Age } from "@vagus/react";
import { memo, type ReactNode, useSyncExternalStore } from "react";
import { changeText, durationText, numberText } from "../../charts/format.js";
import { Sparkline } from "../../charts/Sparkline.js";
import type { Track } from "../../charts/track.js";
import { Badge } from "../../ui/Badge.js";
import { Mark } from "../../ui/Mark.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { titleOf } from "./names.js";
import { type Change, figureOf, type Pulse, type Mark as SourceMark } from "./pulses.js";
import { awaitedIn, type Field, isDrawn, nameIn, stateOf, unitOf } from "./sources.js";
import { toneOf, ValueText } from "./ValueText.js";

export interface FusionCardProps {
  readonly name: string;
  readonly fields: readonly Field[];
  /** A `Shown` as text: pulses are new objects each time, and a card is drawn only when something in it is another. */
  readonly shown: string;
  readonly track: Track | undefined;
  /** Up to when its line goes. */
  readonly now: () => number;
}

export interface Shown {
  readonly mark: SourceMark | undefined;
  readonly values: Pulse["values"];
  /** What the newest pulse changed here. */
  readonly changes: readonly Change[];
  /** That pulse, if it changed anything here. */
  readonly pulse: string;
  /** The connection is away: this is what was known last. */
  readonly isAway: boolean;
  /** What it said in the last pulses, where that is no number. */
  readonly states: readonly string[];
}

export const FusionCard = memo(function FusionCard(props: FusionCardProps): ReactNode {
  const { name, fields, track, now } = props;
  const { mark, values, changes, pulse, isAway, states }: Shown = JSON.parse(props.shown);
  const [main, ...others] = [...fields].sort((one, other) => Number(isDrawn(other)) - Number(isDrawn(one)));
  const isEmpty = mark === undefined || mark.asOf === 0;
  const { tone, words } = stateOf(mark?.status ?? "waiting", isAway);
  const awaited = mark?.status === "waiting" ? awaitedIn(mark.error) : undefined;
  const changed = changes.find((change) => change.name === main?.name);
  return (
    <article
      className="fusion-card"
      data-source={name}
      data-status={mark?.status ?? "waiting"}
      tabIndex={-1}
      aria-label={titleOf(name)}
    >
      <header>
        <h3>{titleOf(name)}</h3>
        {mark?.demo && <Badge>Demo data</Badge>}
        <span className="fusion-status">
          <Mark tone={tone} />
          <span>{words}</span>
        </span>
      </header>
      {mark === undefined ? (
        <Skeleton className="h-9 w-32" />
      ) : (
        <p className="fusion-value">
          <span key={changed ? pulse : "still"} data-changed={changed ? "" : undefined}>
            {main && !isEmpty ? (
              <MainValue field={main} value={values[main.name]} />
            ) : (
              <span className="text-faint">–</span>
            )}
          </span>
          {changed && <ChangeText change={changed} />}
        </p>
      )}
      {others.length > 0 && !isEmpty && (
        <dl className="fusion-others">
          {others.map((field) => {
            const isChanged = changes.some((change) => change.name === field.name);
            return (
              <div key={field.name}>
                <dt>{titleOf(field.name)}</dt>
                <dd key={isChanged ? pulse : "still"} data-changed={isChanged ? "" : undefined}>
                  <ValueText field={field} value={values[field.name]} />
                </dd>
              </div>
            );
          })}
        </dl>
      )}
      {awaited !== undefined ? (
        <p className="fusion-awaited" title={awaited}>
          Waits for {nameIn(awaited)}
        </p>
      ) : mark?.error ? (
        <p className="fusion-error">{mark.error}</p>
      ) : (
        main?.kind === "list" && !isEmpty && <Entries value={values[main.name]} />
      )}
      <footer>
        {track && !isEmpty && <LastHour track={track} now={now} />}
        {!isEmpty && states.length > 1 && <States states={states} />}
        {awaited === undefined && (
          <span>
            {isEmpty ? "No value yet" : "As of "}
            {!isEmpty && <Age at={mark.asOf} />}
          </span>
        )}
      </footer>
    </article>
  );
});

const HOUR_MS = 3_600_000;
/** A line of seconds would say little in all that width. */
const SHORTEST_MS = 300_000;

/** The line of the last hour, or of as much of it as is known, and how long that is. */
function LastHour({ track, now }: { readonly track: Track; readonly now: () => number }): ReactNode {
  useSyncExternalStore(track.subscribe, () => track.version);
  const newest = track.at.at(-1) ?? 0;
  const to = now() - newest < 2 * track.stepMs ? newest : now();
  const from = Math.max(to - HOUR_MS, Math.min(track.at[0] ?? to, to - SHORTEST_MS));
  const minutes = Math.round((to - from) / 60_000);
  return (
    <>
      <div className="fusion-spark">
        <Sparkline track={track} window={() => ({ from, to })} />
      </div>
      <span className="fusion-span">Last {minutes === 60 ? "hour" : durationText(minutes * 60)}</span>
    </>
  );
}

/** What it said in each of the last pulses, the newest at the end. */
function States({ states }: { readonly states: readonly string[] }): ReactNode {
  const counts = [...Map.groupBy(states, (state) => state)].map(([state, all]) => `${all.length} ${state}`);
  return (
    <>
      <div className="fusion-states" role="img" aria-label={`Of the last pulses: ${counts.join(", ")}`}>
        {states.map((state, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pulses move through the places
          <i key={place} data-tone={toneOf(state) ?? "unknown"} title={state} />
        ))}
      </div>
      <span className="fusion-span">Last {states.length} pulses</span>
    </>
  );
}

function MainValue({ field, value }: { readonly field: Field; readonly value: unknown }): ReactNode {
  const figure = field.kind === "flag" ? null : figureOf(value);
  if (figure === null) return <ValueText field={field} value={value} />;
  const unit = unitOf(field);
  return (
    <>
      {numberText(figure)}
      {unit && <small> {unit}</small>}
    </>
  );
}

/** What a text was before is told where that is no more than a few words. */
const SHORT = 40;

function ChangeText({ change: { by, before } }: { readonly change: Change }): ReactNode {
  if (by === null || by === 0) {
    const isShort = typeof before === "string" && before.length <= SHORT;
    return <span className="fusion-change">{isShort ? `was ${before}` : "changed"}</span>;
  }
  return (
    <span className="fusion-change">
      <span aria-hidden="true">{by > 0 ? "▲" : "▼"} </span>
      {changeText(by)}
      <span className="sr-only"> since the last pulse</span>
    </span>
  );
}

const MOST_ENTRIES = 2;

function Entries({ value }: { readonly value: unknown }): ReactNode {
  const entries: readonly unknown[] = Array.isArray(value) ? value : [];
  return (
    <ul className="fusion-entries">
      {entries.slice(0, MOST_ENTRIES).map((entry, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: entries have nothing that tells them apart
        <li key={place}>{entryText(entry)}</li>
      ))}
    </ul>
  );
}

/** The words of an entry, by whichever name it has them. */
function entryText(entry: unknown): string {
  if (typeof entry !== "object" || entry === null) return String(entry);
  const table = entry as Readonly<Record<string, unknown>>;
  const words = ["title", "text", "message", "summary", "name"].map((name) => table[name]);
  return (
    words.find((text): text is string => typeof text === "string" && text !== "") ?? JSON.stringify(entry)
  );
}
