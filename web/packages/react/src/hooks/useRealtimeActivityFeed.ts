/** A channel's messages as a feed that a person can hold still. */

import type { DataOf, Message } from "@vagus/client";
import { useMemo } from "react";
import type { ChannelOptions } from "../stores/channel.js";
import { type FeedActions, type FeedView, feedOf, viewOf } from "../stores/feed.js";
import { useChannelStore } from "./useChannel.js";
import { all, useSelected } from "./useSelected.js";

export interface ActivityFeedOptions<C extends string> extends ChannelOptions {
  /** The provider's channel for activities by default. */
  readonly channel?: C | undefined;
  /** Which messages are of interest. Keep the function the same while it means the same. */
  readonly filter?: (message: Message<DataOf<C>>) => boolean;
}

export type ActivityFeed<T> = FeedView<T> & FeedActions;

/**
 * The newest `keep` (200) messages as rows with an `id` for virtual lists, newest first.
 *
 * ```tsx
 * const { rows, paused, pause, resume, waiting } = useRealtimeActivityFeed({ channel: "user-activity" });
 * ```
 */
export function useRealtimeActivityFeed<C extends string = "user-activity">({
  channel,
  filter = everything,
  ...options
}: ActivityFeedOptions<C> = {}): ActivityFeed<DataOf<C>> {
  const keep = Math.max(1, options.keep ?? 200);
  const store = useChannelStore<DataOf<C>>(channel, "activities", {
    keep,
    history: keep,
    ...options,
  });
  const feed = useMemo(() => feedOf(store, keep), [store, keep]);
  const state = useSelected(feed.state, all, store.client);
  return useMemo(() => ({ ...viewOf(state, filter), ...feed.actions }), [feed, state, filter]);
}

const everything = (): boolean => true;
