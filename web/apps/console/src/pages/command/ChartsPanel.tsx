/** The charts of all sources over one range, with one cursor, fed by the history and by pulses. */

import { Download } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { addressOf } from "../../api.js";
import { LiveChart } from "../../charts/LiveChart.js";
import { fixed, type Window, windowOf, wordsOf } from "../../charts/ranges.js";
import { Button } from "../../ui/Button.js";
import { Panel } from "../../ui/Panel.js";
import { Unread } from "../../ui/Unread.js";
import { POINTS, useHistory } from "./asking.js";
import { Board } from "./board.js";
import { RangePicker } from "./RangePicker.js";
import { type ChartPlan, chartsOf, type SourceFields } from "./sources.js";
import { useFeed, useFeedState } from "./useFeed.js";
import type { View } from "./useView.js";

export interface ChartsPanelProps {
  readonly sources: readonly SourceFields[];
  readonly view: View;
}

/** More of them only when asked for. */
const FIRST_CHARTS = 12;

export function ChartsPanel({ sources, view: { range, setRange } }: ChartsPanelProps): ReactNode {
  const feed = useFeed();
  const [board] = useState(() => new Board(POINTS));
  const [isWhole, setWhole] = useState(false);
  const all = useMemo(() => chartsOf(sources, board), [sources, board]);
  const charts = useMemo(() => (isWhole ? all : all.slice(0, FIRST_CHARTS)), [all, isWhole]);
  const metrics = useMemo(() => charts.flatMap(({ lines }) => lines.map(({ metric }) => metric)), [charts]);
  const query = useHistory(metrics, range, POINTS);
  const { data, isFetching } = query;
  const { isPaused, shown } = useFeedState();
  const isLive = range.kind === "live";

  useEffect(() => {
    board.sources = new Map(
      all.flatMap(({ source, lines }) => lines.map(({ metric }) => [metric, source] as const)),
    );
  }, [board, all]);
  useEffect(() => {
    if (data) board.load(data, isLive ? feed.get().shown : []);
  }, [board, data, feed, isLive]);
  useEffect(() => {
    return isLive ? feed.listen((pulses) => board.push(pulses)) : undefined;
  }, [board, feed, isLive]);

  const heldAt = useRef(0);
  const now = useCallback(() => feed.get().pausedAt || Date.now(), [feed]);
  const window = useCallback((): Window => windowOf(range, heldAt.current || now()), [range, now]);
  const hold = useCallback(
    (isHeld: boolean) => {
      heldAt.current = isHeld ? now() : 0;
    },
    [now],
  );
  const brush = useCallback(
    (from: number, to: number) => {
      const chosen = fixed(from, to);
      if (chosen) setRange(chosen);
    },
    [setRange],
  );

  return (
    <Panel
      title="Charts"
      about={[!isLive && wordsOf(range), data && `one point for ${stepText(data.stepMs)}`]
        .filter(Boolean)
        .join(", ")}
      channel="fusion"
      at={shown.at(-1)?.at ?? null}
      actions={<RangePicker range={range} setRange={setRange} />}
    >
      <Unread title="The history could not be read." query={query} />
      <div className="command-charts" aria-busy={isFetching}>
        {charts.map((chart) => (
          <LiveChart
            key={chart.key}
            title={chart.title}
            lines={chart.lines}
            window={window}
            words={wordsOf(range)}
            isMoving={isLive && !isPaused}
            onBrush={brush}
            onHold={hold}
            actions={<Exports chart={chart} window={window} />}
          />
        ))}
      </div>
      {all.length > FIRST_CHARTS && (
        <Button size="small" onClick={() => setWhole(!isWhole)}>
          {isWhole ? "Show fewer" : `Show all ${all.length} charts`}
        </Button>
      )}
    </Panel>
  );
}

function stepText(ms: number): string {
  const [unit, length] = STEPS.find(([, length]) => ms >= length) ?? STEPS[2];
  return `${(ms / length).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${unit}`;
}

const STEPS = [
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

interface ExportsProps {
  readonly chart: ChartPlan;
  readonly window: () => Window;
}

/** The window is that of the moment in which the link is followed. */
function Exports({ chart, window }: ExportsProps): ReactNode {
  const address = (format: "csv" | "json"): string => {
    const { from, to } = window();
    const metric = chart.lines.map(({ metric }) => metric);
    return addressOf("/api/fusion/history/export", {
      metric,
      from: Math.round(from),
      to: Math.round(to),
      format,
    });
  };
  return FORMATS.map((format) => (
    <a
      key={format}
      href={address(format)}
      download={`${chart.title}.${format}`}
      onPointerDown={({ currentTarget }) => {
        currentTarget.href = address(format);
      }}
    >
      <Download size={12} className="me-1" aria-hidden="true" />
      {format.toUpperCase()}
      <span className="sr-only"> of {chart.title}</span>
    </a>
  ));
}

const FORMATS = ["csv", "json"] as const;
