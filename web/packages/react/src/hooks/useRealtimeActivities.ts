/** The newest messages of a channel, as a list. */

import type { DataOf, Message } from "@vagus/client";
import { useMemo } from "react";
import type { ChannelOptions } from "../stores/channel.js";
import { useRealtimeActivityFeed } from "./useRealtimeActivityFeed.js";

export interface Activities<T> {
  /** Newest first, at most `keep`. */
  readonly activities: readonly Message<T>[];
  /** Empty the list of this component. */
  readonly clear: () => void;
}

/**
 * The newest `keep` (100) messages, to begin with those of the channel's history, if that may be read. For pausing and
 * counting what is unread there is `useRealtimeActivityFeed`.
 *
 * ```tsx
 * const { activities, clear } = useRealtimeActivities("user-activity", { keep: 20 });
 * ```
 */
export function useRealtimeActivities<C extends string = "user-activity">(
  channel?: C,
  options: ChannelOptions = {},
): Activities<DataOf<C>> {
  const { rows, clear } = useRealtimeActivityFeed({ keep: 100, ...options, channel });
  return { activities: useMemo(() => rows.map(({ message }) => message), [rows]), clear };
}
