/** The last three pulses that are shown: when, which, and what they changed. */

import { Age } from "@vagus/react";
import type { ReactNode } from "react";
import { changeText, numberText, timeText } from "../../charts/format.js";
import { Badge } from "../../ui/Badge.js";
import { Panel } from "../../ui/Panel.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { titleOf } from "./names.js";
import { type Change, changesOf, figureOf, type Pulse, turnsOf } from "./pulses.js";
import { useFeedState } from "./useFeed.js";

const SHOWN = 3;
const MOST_CHANGES = 4;

export function RecentPulses(): ReactNode {
  const { shown } = useFeedState();
  const newest = shown.slice(-SHOWN).reverse();
  return (
    <Panel title="Last pulses" channel="fusion" at={shown.at(-1)?.at ?? null}>
      {newest.length === 0 && <Skeleton className="h-24 w-full" />}
      <ol className="grid grid-cols-[minmax(0,1fr)] gap-3">
        {newest.map((pulse) => (
          <Row key={pulse.id} pulse={pulse} before={shown[shown.indexOf(pulse) - 1]} />
        ))}
      </ol>
    </Panel>
  );
}

function Row({ pulse, before }: { readonly pulse: Pulse; readonly before: Pulse | undefined }): ReactNode {
  const changes = changesOf(before, pulse);
  const turns = turnsOf(before, pulse);
  return (
    <li
      className="grid grid-cols-[minmax(0,1fr)] gap-1 border-s-2 border-line ps-3"
      data-pulse={pulse.number}
    >
      <p className="flex items-center gap-2 text-xs text-muted">
        <span className="font-medium text-text">{timeText(pulse.at)}</span>
        <span>#{pulse.number.toLocaleString()}</span>
        <span className="ms-auto">
          <Age at={pulse.at} focusable={false} />
        </span>
      </p>
      {turns.map(({ name, turn }) => (
        <p key={name}>
          <Badge tone={turn === "failed" ? "bad" : "good"}>
            {titleOf(name)} {turn}
          </Badge>
        </p>
      ))}
      {changes.slice(0, MOST_CHANGES).map((change) => (
        <p key={change.name} className="flex gap-2 text-sm">
          <span className="text-muted">{titleOf(change.name)}</span>
          <span className="ms-auto min-w-0 truncate">{changedText(change)}</span>
        </p>
      ))}
      {changes.length > MOST_CHANGES && (
        <p className="text-xs text-muted">and {changes.length - MOST_CHANGES} more</p>
      )}
      {changes.length + turns.length === 0 && (
        <p className="text-sm text-faint">
          {before ? "Nothing changed." : "What came before is not known here."}
        </p>
      )}
    </li>
  );
}

/** As pulses write moments; browsers take much else for a date, such as "build 12". */
const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function changedText({ by, after }: Change): string {
  const figure = figureOf(after);
  if (figure === null) {
    return typeof after === "string" && MOMENT.test(after) ? timeText(Date.parse(after)) : String(after);
  }
  return by ? `${numberText(figure)} (${changeText(by)})` : numberText(figure);
}
