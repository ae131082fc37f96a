/** The events of the dashboard's channel as one object. */

import type { DataOf } from "@vagus/client";
import { type Folded, foldOf } from "../stores/fold.js";
import { useChannelStore } from "./useChannel.js";
import { all, useSelected } from "./useSelected.js";

export type DashboardMetrics = Folded<DataOf<"analytics">>;

/**
 * The newest payload of each type of event, and when the newest of all happened, `at`. With a selector the component
 * renders when what that returns changes.
 *
 * ```tsx
 * const revenue = useRealtimeDashboardMetrics((metrics) => metrics.RevenueUpdate?.amount);
 * ```
 */
export function useRealtimeDashboardMetrics(): DashboardMetrics;
export function useRealtimeDashboardMetrics<S>(select: (metrics: DashboardMetrics) => S): S;
export function useRealtimeDashboardMetrics<S>(
  select?: (metrics: DashboardMetrics) => S,
): DashboardMetrics | S {
  const store = useChannelStore<DataOf<"analytics">>(undefined, "dashboard", { history: 100 });
  return useSelected<DashboardMetrics, DashboardMetrics | S>(foldOf(store), select ?? all, store.client);
}
