/** The channels that are followed. */

import type { SubscriptionStatus } from "@vagus/client";
import { useProvided } from "../context.js";
import { all, useSelected } from "./useSelected.js";

export type Subscriptions = ReadonlyMap<string, SubscriptionStatus>;

/**
 * Every channel that is followed here, and how it does; with a selector, what that makes of them.
 *
 * ```tsx
 * const count = useRealtimeSubscriptions((channels) => channels.size);
 * ```
 */
export function useRealtimeSubscriptions(): Subscriptions;
export function useRealtimeSubscriptions<S>(select: (subscriptions: Subscriptions) => S): S;
export function useRealtimeSubscriptions<S>(select?: (subscriptions: Subscriptions) => S): Subscriptions | S {
  const { client } = useProvided();
  return useSelected<Subscriptions, Subscriptions | S>(client.subscriptions, select ?? all);
}
