/** What a chart shows as a table: the newest steps of its window, as they were when it was opened or asked for anew. */

import { type ReactNode, useState } from "react";
import { momentText, numberText } from "./format.js";
import type { Line } from "./plot.js";
import type { Window } from "./ranges.js";
import { aligned } from "./track.js";

export interface ChartTableProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly window: () => Window;
  readonly words: string;
}

const MOST = 200;

export function ChartTable({ title, lines, window, words }: ChartTableProps): ReactNode {
  const [, renew] = useState(0);
  const { from, to } = window();
  const [times, ...columns] = aligned(
    lines.map(({ track }) => track),
    (line) => [line.mean],
  );
  const shown = times.flatMap((at, index) => (at >= from && at <= to ? [index] : []));
  const rows = shown.slice(-MOST).reverse();
  return (
    <div className="chart-table">
      <p>
        {shown.length > MOST
          ? `The newest ${MOST} of ${shown.length} steps in ${words}; the export has all.`
          : `${shown.length} steps in ${words}.`}{" "}
        <button type="button" onClick={() => renew((count) => count + 1)}>
          Renew
        </button>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard */}
      <section className="chart-rows" tabIndex={0} aria-label={`Rows of ${title}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              {lines.map(({ metric, label }) => (
                <th key={metric} scope="col">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={times[row]}>
                <th scope="row">{momentText(times[row] ?? 0)}</th>
                {lines.map(({ metric, unit }, line) => (
                  <td key={metric}>{cellText(columns[line]?.[row], unit)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}

/** Empty for a time that only other lines have. */
function cellText(value: number | null | undefined, unit: string): string {
  return value === undefined ? "" : numberText(value, unit);
}
