/** The newest datum of a channel. */

import type { DataOf } from "@vagus/client";
import type { ChannelOptions, ChannelState } from "../stores/channel.js";
import { type Suspending, useArrival, useChannelStore } from "./useChannel.js";
import { useTracked } from "./useSelected.js";

export interface MetricsOptions<T, S> extends ChannelOptions, Suspending {
  /** The part that is wanted; messages in which it is the same render nothing. */
  readonly select?: (data: T) => S;
}

export interface Metrics<S> {
  /** What came last, also while there is no connection; `undefined` before the first. */
  readonly data: S | undefined;
  /** When it came, or happened if it is from the history; `null` where that is not known. See `<Age>`. */
  readonly receivedAt: number | null;
  /** The channel is followed, and what comes is shown. */
  readonly isLive: boolean;
  /** Nothing came for `staleAfter`. */
  readonly isStale: boolean;
  /** Why it is not live, in words for a person. */
  readonly reason: string;
}

/**
 * The component renders when a property changes that it reads. It is told at most once a second (`throttle`), and where
 * all who follow the channel here want no more than the latest, the server sends no more. It begins with the newest of
 * the channel's history, if that may be read.
 *
 * ```tsx
 * const { data, receivedAt } = useRealtimeMetrics("fusion", { select: (update) => update.payload.memos });
 * ```
 */
export function useRealtimeMetrics<C extends string = "fusion", S = DataOf<C>>(
  channel: C | undefined,
  options: MetricsOptions<DataOf<C>, S> & { readonly suspense: true },
): Metrics<S> & { readonly data: S };
export function useRealtimeMetrics<C extends string = "fusion", S = DataOf<C>>(
  channel?: C,
  options?: MetricsOptions<DataOf<C>, S>,
): Metrics<S>;
export function useRealtimeMetrics<C extends string = "fusion", S = DataOf<C>>(
  channel?: C,
  { select, suspense = false, ...options }: MetricsOptions<DataOf<C>, S> = {},
): Metrics<S> {
  const store = useChannelStore<DataOf<C>>(channel, "metrics", { ...DEFAULTS, ...options });
  const read = useTracked(
    store,
    ({ latest, status }: ChannelState<DataOf<C>>): Metrics<S> => ({
      data: latest && (select === undefined ? (latest.data as S) : select(latest.data)),
      receivedAt: latest?.receivedAt || null,
      isLive: status.state === "subscribed" && !status.isStale,
      isStale: status.isStale,
      reason: status.reason,
    }),
    store.client,
  );
  useArrival(store, suspense);
  return read;
}

const DEFAULTS: ChannelOptions = { deliver: "latest", keep: 1, history: 1 };
