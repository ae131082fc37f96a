/** A channel as columns of numbers for a chart. */

import type { DataOf } from "@vagus/client";
import { useMemo, useRef } from "react";
import type { ChannelOptions } from "../stores/channel.js";
import { chartOf, type PointOf } from "../stores/chart.js";
import { numbersIn, type Series } from "../stores/series.js";
import { useChannelStore } from "./useChannel.js";
import { all, useSelected } from "./useSelected.js";

export interface ChartOptions<T> extends ChannelOptions {
  /** The number that a message stands for, as the series `value`. */
  readonly value?: (data: T) => number;
  /** Its numbers by name. Without this and `value`: all numbers among the fields, of an event those of its payload. */
  readonly series?: (data: T) => Readonly<Record<string, number>>;
  /** Its time, in milliseconds since 1970; when it came by default. */
  readonly time?: (data: T) => number;
  /** How many points are kept, 300 by default; 1 at least. */
  readonly points?: number;
}

/**
 * The newest points as aligned arrays, as uPlot and its like take them. `NaN` marks a gap: messages were lost there.
 *
 * ```tsx
 * const { times, series } = useRealtimeChartData("cpu", { value: (data) => data.load, throttle: 100 });
 * ```
 */
export function useRealtimeChartData<C extends string = "fusion">(
  channel?: C,
  { value, series, time, points = 300, ...options }: ChartOptions<DataOf<C>> = {},
): Series {
  const most = Math.max(1, points);
  const store = useChannelStore<DataOf<C>>(channel, "metrics", { keep: most, ...options });
  const newest: PointOf<DataOf<C>> = ({ data, receivedAt }) => ({
    time: time?.(data) ?? receivedAt,
    values: series?.(data) ?? (value ? { value: value(data) } : numbersIn(data)),
  });
  const pointOf = useRef(newest);
  pointOf.current = newest;
  const chart = useMemo(() => chartOf(store, most, (message) => pointOf.current(message)), [store, most]);
  return useSelected(chart, all, store.client);
}
