/** A line of what came last, without axes. It is an ornament: the figure beside it and the chart of the metric tell all. */

import { type ReactNode, useSyncExternalStore } from "react";
import { HEIGHT, pathOf, WIDTH } from "./path.js";
import type { Window } from "./ranges.js";
import type { Track } from "./track.js";

export interface SparklineProps {
  readonly track: Track;
  /** What it shows now. */
  readonly window: () => Window;
}

export function Sparkline({ track, window }: SparklineProps): ReactNode {
  useSyncExternalStore(track.subscribe, () => track.version);
  const { line, area, end } = pathOf(track, window());
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="spark-area" d={area} />
      <path d={line} vectorEffect="non-scaling-stroke" />
      {end && <path className="spark-end" d={`M${end}h0`} vectorEffect="non-scaling-stroke" />}
    </svg>
  );
}
