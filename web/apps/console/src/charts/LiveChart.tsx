/**
 * A chart that keeps up with its tracks. React builds its frame once; what changes with the data (the canvas, the
 * figures of the legend, the sentence that sums it up) is written past React, when the chart is drawn.
 *
 * For those who do not see or do not point: the sentence is the picture's name, arrow keys move the cursor and speak
 * the values, Home and End go to the ends, Escape leaves, + and - zoom around the cursor, and the same as a table.
 */

import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import "uplot/dist/uPlot.min.css";
import "./charts.css";
import { useStore } from "../store.js";
import { ChartTable } from "./ChartTable.js";
import { momentText, numberText } from "./format.js";
import { colourVariable, dashOf, palette } from "./palette.js";
import { type Line, Plot } from "./plot.js";
import type { Window } from "./ranges.js";
import { summaryOf } from "./summary.js";
import { indexAt, type Value } from "./track.js";

export interface LiveChartProps {
  readonly title: string;
  /** The same array as long as its lines are the same. */
  readonly lines: readonly Line[];
  /** What it shows now: asked at each drawing, so that a live window moves on. */
  readonly window: () => Window;
  /** That window in a sentence, such as "the last 24 hours". */
  readonly words: string;
  /** Whether the window moves by itself. */
  readonly isMoving: boolean;
  /** In pixels, where it is not what the page leaves it. */
  readonly height?: number;
  /** Charts with the same key have one cursor. */
  readonly syncKey?: string;
  /** A part was chosen with the pointer or by key. */
  readonly onBrush: (from: number, to: number) => void;
  /** Whether the window is to stand still, so that what is being marked does not run away. */
  readonly onHold: (isHeld: boolean) => void;
  /** Beside the title. */
  readonly actions?: ReactNode;
}

/** So often the summary is written anew. */
const SUMMARY_MS = 2_000;
/** Windows move in steps of a second at least. */
const STEP_MS = 1_000;

export function LiveChart(props: LiveChartProps): ReactNode {
  const { title, lines, words, isMoving, height, syncKey = "console", actions } = props;
  const [isTable, setTable] = useState(false);
  const id = useId();
  const root = useRef<HTMLDivElement>(null);
  const spoken = useRef<HTMLOutputElement>(null);
  const legend = useRef<HTMLDListElement>(null);
  const plot = useRef<Plot>(undefined);
  const cursor = useRef<number | null>(null);
  const current = useRef(props);
  current.current = props;

  useEffect(() => {
    const picture = root.current;
    if (picture === null) return;
    let summedUpAt = 0;
    const show = (): void => writeLegend(legend.current, lines, cursor.current);
    const drawn = (): void => {
      if (cursor.current === null) show();
      if (performance.now() - summedUpAt < SUMMARY_MS) return;
      summedUpAt = performance.now();
      const named = lines.map(({ track, label, unit }) => ({ label, unit, columns: track }));
      picture.setAttribute("aria-label", summaryOf(named, current.current.window(), current.current.words));
    };
    const made = new Plot(picture, {
      lines,
      syncKey,
      window: () => current.current.window(),
      onBrush: (from, to) => current.current.onBrush(from, to),
      onHold: (isHeld) => current.current.onHold(isHeld),
      onDrawn: drawn,
      onCursor: (at) => {
        cursor.current = at;
        show();
      },
    });
    plot.current = made;
    return () => made.end();
  }, [lines, syncKey]);

  // A window that is another one is drawn at once.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `words` says that the window is another
  useEffect(() => plot.current?.mark(), [words, isMoving]);

  useEffect(() => {
    if (!isMoving) return;
    let movedAt = 0;
    const timer = setInterval(() => {
      const now = performance.now();
      if (plot.current === undefined || now - movedAt < plot.current.msPerPixel) return;
      movedAt = now;
      plot.current.mark();
    }, STEP_MS);
    return () => clearInterval(timer);
  }, [isMoving]);

  const speak = (): void => {
    if (spoken.current === null || cursor.current === null) return;
    const at = cursor.current;
    const values = lines.map(({ label, unit, track }) => `${label} ${numberText(valueAt(track, at), unit)}`);
    spoken.current.textContent = `${momentText(at)}: ${values.join(", ")}`;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const by = STEPS[event.key];
    if (by !== undefined) plot.current?.step(by * (event.shiftKey ? 10 : 1));
    else if (event.key === "Escape") plot.current?.leave();
    else if (event.key === "+" || event.key === "-") zoom(event.key === "+" ? 0.5 : 2);
    else return;
    event.preventDefault();
    event.stopPropagation();
    if (by !== undefined) speak();
  };
  const zoom = (factor: number): void => {
    const { from, to } = props.window();
    const middle = cursor.current ?? (from + to) / 2;
    const reach = ((to - from) / 2) * factor;
    props.onBrush(middle - reach, Math.min(middle + reach, Math.max(to, Date.now())));
  };

  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption className="chart-head">
        <div className="chart-about">
          <h3 id={id}>{title}</h3>
          <dl className="chart-legend" ref={legend}>
            {lines.map((line, index) => (
              <div key={line.metric}>
                <dt>
                  <Key index={index} />
                  <span className={lines.length === 1 ? "chart-unseen" : undefined}>{line.label}</span>
                </dt>
                <dd>–</dd>
              </div>
            ))}
          </dl>
        </div>
        <div className="chart-actions">
          <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
            Table<span className="chart-unseen"> of {title}</span>
          </button>
          {actions}
        </div>
      </figcaption>
      <div
        className="chart-canvas"
        ref={root}
        role="img"
        aria-label={`${title}: nothing drawn yet`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move its cursor
        tabIndex={0}
        style={{ blockSize: height }}
        onKeyDown={onKeyDown}
        onBlur={() => plot.current?.leave()}
      />
      <output className="chart-unseen" ref={spoken} />
      {isTable && <ChartTable title={title} lines={lines} window={props.window} words={words} />}
    </figure>
  );
}

function Key({ index }: { readonly index: number }): ReactNode {
  const dash = dashOf(useStore(palette), index).join(" ");
  return (
    <svg className="chart-key" viewBox="0 0 16 4" aria-hidden="true">
      <path d="M0 2h16" style={{ stroke: colourVariable(index) }} strokeDasharray={dash} />
    </svg>
  );
}

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: Number.NEGATIVE_INFINITY,
  End: Number.POSITIVE_INFINITY,
};

/** What is drawn there. */
function valueAt(track: Line["track"], time: number): Value {
  return track.mean[indexAt(track, time) ?? -1] ?? null;
}

function writeLegend(legend: HTMLElement | null, lines: readonly Line[], at: number | null): void {
  const cells = legend?.querySelectorAll("dd");
  lines.forEach(({ track, unit }, index) => {
    const cell = cells?.[index];
    const value = at === null ? track.newest : valueAt(track, at);
    const text = at !== null && value === null ? "–" : numberText(value, unit);
    if (cell !== undefined && cell.textContent !== text) cell.textContent = text;
  });
}
