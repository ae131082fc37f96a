/** The cards of all sources, with what the newest pulse says and what it changed. */

import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { Button } from "../../ui/Button.js";
import { SPARK_POINTS, useHistory } from "./asking.js";
import { Board } from "./board.js";
import { FusionCard, type Shown } from "./FusionCard.js";
import { changesOf } from "./pulses.js";
import { isDrawn, type SourceFields } from "./sources.js";
import { useFeed, useFeedState } from "./useFeed.js";

const HOUR = { kind: "live", lengthMs: 3_600_000 } as const;
/** More of them only when asked for. */
const FIRST_CARDS = 12;
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

  if (sources.length === 0) {
    return (
      <div className="fusion-cards" aria-busy="true">
        {PLACES.map((place) => (
          <div key={place} className="fusion-card" />
        ))}
      </div>
    );
  }
  return (
    <>
      <div className="fusion-cards">
        {shownSources.map(({ name, fields }) => {
          const names = fields.map((field) => field.name);
          const values = Object.fromEntries(names.map((name) => [name, newest?.values[name] ?? null]));
          const own = changes.filter((change) => names.includes(change.name));
          const drawn = fields.find(isDrawn);
          const pulse = own.length > 0 && newest ? newest.id : "";
          const content: Shown = { mark: newest?.sources[name], values, changes: own, pulse };
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
