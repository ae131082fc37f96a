/** The cards of all sources, with what the newest pulse says and what it changed. */

import { Gauge } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Action, useActions } from "../../actions.js";
import { Button } from "../../ui/Button.js";
import { useIsAway } from "../../useIsAway.js";
import { SPARK_POINTS, useHistory } from "./asking.js";
import { Board } from "./board.js";
import { useColumns } from "./columns.js";
import { FusionCard, type Shown } from "./FusionCard.js";
import { titleOf } from "./names.js";
import { changesOf, type Pulse } from "./pulses.js";
import { type Field, isDrawn, type SourceFields } from "./sources.js";
import { useFeed, useFeedState } from "./useFeed.js";

const HOUR = { kind: "live", lengthMs: 3_600_000 } as const;
/** More of them only when asked for. */
const FIRST_CARDS = 12;
const MOST_STATES = 30;
const PLACES = ["first", "second", "third", "fourth"];

export function CardGrid({ sources }: { readonly sources: readonly SourceFields[] }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const shownSources = useMemo(() => (isWhole ? sources : sources.slice(0, FIRST_CARDS)), [isWhole, sources]);
  const board = useHour(shownSources);
  const feed = useFeed();
  const { shown } = useFeedState();
  const newest = shown.at(-1);
  const changes = useMemo(() => (newest ? changesOf(shown.at(-2), newest) : []), [shown, newest]);
  const now = useCallback((): number => feed.get().pausedAt || Date.now(), [feed]);
  const isAway = useIsAway();
  const grid = useRef<HTMLDivElement>(null);
  const columns = useColumns(grid, shownSources.length || PLACES.length);
  const style = { gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` };
  useActions(useMemo(() => waysTo(sources, () => setWhole(true)), [sources]));

  return (
    <>
      <div ref={grid} className="fusion-cards" style={style} aria-busy={sources.length === 0 || undefined}>
        {sources.length === 0 && PLACES.map((place) => <div key={place} className="fusion-card" />)}
        {shownSources.map(({ name, fields }) => {
          const names = fields.map((field) => field.name);
          const values = Object.fromEntries(names.map((name) => [name, newest?.values[name] ?? null]));
          const own = changes.filter((change) => names.includes(change.name));
          const drawn = fields.find(isDrawn);
          const pulse = own.length > 0 && newest ? newest.id : "";
          const content: Shown = {
            mark: newest?.sources[name],
            values,
            changes: own,
            pulse,
            isAway,
            states: statesOf(fields, shown),
          };
          return (
            <FusionCard
              key={name}
              name={name}
              fields={fields}
              shown={JSON.stringify(content)}
              track={drawn && board.track(drawn.name)}
              now={now}
            />
          );
        })}
      </div>
      {sources.length > FIRST_CARDS && (
        <Button size="small" className="justify-self-start" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${sources.length} sources`}
        </Button>
      )}
    </>
  );
}

/** What a source without numbers said in the pulses that are known, oldest first. */
function statesOf(fields: readonly Field[], shown: readonly Pulse[]): readonly string[] {
  const text = fields.some(isDrawn) ? undefined : fields.find(({ kind }) => kind === "text");
  if (text === undefined) return [];
  return shown.slice(-MOST_STATES).map(({ values }) => String(values[text.name] ?? "unknown"));
}

/** Sources are found by their names, and the way leads to their cards. */
function waysTo(sources: readonly SourceFields[], showAll: () => void): readonly Action[] {
  return sources.map(({ name, fields }) => ({
    id: `source:${name}`,
    title: titleOf(name),
    group: "Sources",
    words: [name, ...fields.map((field) => `${field.name} ${titleOf(field.name)}`)].join(" "),
    icon: Gauge,
    isMinor: true,
    run: () => {
      showAll();
      requestAnimationFrame(() => {
        const card = document.querySelector<HTMLElement>(`[data-source="${CSS.escape(name)}"]`);
        card?.scrollIntoView({ block: "center" });
        card?.focus({ preventScroll: true });
      });
    },
  }));
}

/** The last hour of the first value of each source. */
function useHour(sources: readonly SourceFields[]): Board {
  const feed = useFeed();
  const [board] = useState(() => new Board(SPARK_POINTS));
  const metrics = useMemo(() => sources.flatMap(({ fields }) => fields.find(isDrawn)?.name ?? []), [sources]);
  const { data } = useHistory(metrics, HOUR, SPARK_POINTS);
  useEffect(() => {
    board.sources = new Map(
      sources.flatMap(({ name, fields }) => fields.map((field) => [field.name, name] as const)),
    );
  }, [board, sources]);
  useEffect(() => {
    if (data) board.load(data, feed.get().shown);
  }, [board, data, feed]);
  useEffect(() => feed.listen((pulses) => board.push(pulses)), [board, feed]);
  return board;
}
