/** A channel drawn as a chart: each message is a point, and a loss is a gap. */

import type { Message, Store } from "@vagus/client";
import { cellOf } from "./cell.js";
import type { ChannelStore } from "./channel.js";
import { extended, NO_POINTS, type Point, type Series } from "./series.js";

export type PointOf<T> = (message: Message<T>) => Point;

/** The newest `most` points. */
export function chartOf<T>(channel: ChannelStore<T>, most: number, pointOf: PointOf<T>): Store<Series> {
  /** When something was lost, as long as nothing came since. */
  let lostAt: number | null = null;

  const pointsOf = (message: Message<T>): readonly Point[] => {
    const point = pointOf(message);
    if (lostAt === null || message.receivedAt < lostAt) return [point];
    const gap = { time: Math.min(lostAt, point.time), values: {} };
    lostAt = null;
    return [gap, point];
  };

  const chart = cellOf(NO_POINTS, () => {
    chart.set(NO_POINTS);
    lostAt = null;
    const ends = [
      watchLosses(channel, (at) => {
        lostAt = at;
      }),
      channel.listen((batch) => chart.set(extended(chart.get(), batch.flatMap(pointsOf), most))),
    ];
    return () => {
      for (const end of ends) end();
    };
  });
  return chart;
}

/** Calls back when the channel is followed again and not everything that was missed has come. */
function watchLosses<T>(channel: ChannelStore<T>, lost: (at: number) => void): () => void {
  let { state } = channel.get().status;
  let wasSubscribed = state === "subscribed";
  return channel.subscribe(() => {
    const { status } = channel.get();
    if (status.state === state) return;
    state = status.state;
    if (state !== "subscribed") return;
    if (wasSubscribed && status.recovered !== true) lost(Date.now());
    wasSubscribed = true;
  });
}
