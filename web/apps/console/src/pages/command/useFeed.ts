/** The pulses of the page: from the channel into its feed, and from there to whoever shows them. */

import type { SubscriptionStatus } from "@vagus/client";
import { useChannel } from "@vagus/react";
import { createContext, useContext, useEffect } from "react";
import { useStore } from "../../store.js";
import type { Feed, FeedState } from "./feed.js";
import { pulseOf } from "./pulses.js";

export const FeedContext = createContext<Feed | null>(null);

/** As many as the channel remembers. */
const KEPT = 20;
/** Nobody reads faster, and a burst after a loss is one drawing. */
const THROTTLE_MS = 100;
/** For the last three updates, each beside the one before it. */
const FIRST = 4;

export function useFeed(): Feed {
  const feed = useContext(FeedContext);
  if (feed === null) throw new Error("there is no feed above this component");
  return feed;
}

export function useFeedState(): FeedState {
  return useStore(useFeed());
}

/** Follow the channel into a feed. Returns how the subscription does. */
export function useFollowed(feed: Feed): SubscriptionStatus {
  const { messages, status } = useChannel("fusion", { throttle: THROTTLE_MS, keep: KEPT, history: FIRST });
  useEffect(() => feed.take(messages.map(({ data }) => pulseOf(data))), [feed, messages]);
  return status;
}
