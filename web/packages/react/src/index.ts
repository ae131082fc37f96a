/** React over `@vagus/client`: `<RealtimeProvider>` is where to begin. */

export { Age, type AgeProps } from "./components/Age.js";
export { Announcer } from "./components/Announcer.js";
export { ConnectionDot, type ConnectionDotProps } from "./components/ConnectionDot.js";
export { RealtimeProvider, type RealtimeProviderProps } from "./components/RealtimeProvider.js";
export { RealtimeStatus, type RealtimeStatusProps } from "./components/RealtimeStatus.js";
export { RealtimeToasts, type RealtimeToastsProps } from "./components/RealtimeToasts.js";
export type { ChannelNames } from "./context.js";
export { useAnnounce } from "./hooks/useAnnounce.js";
export { type UseCall, useCall } from "./hooks/useCall.js";
export {
  type SuspendedChannel,
  type Suspending,
  type UseChannelOptions,
  useChannel,
} from "./hooks/useChannel.js";
export { type UsePreferences, usePreferences } from "./hooks/usePreferences.js";
export { type UsePublish, usePublish } from "./hooks/usePublish.js";
export { type UseRealtime, useRealtime } from "./hooks/useRealtime.js";
export { type Activities, useRealtimeActivities } from "./hooks/useRealtimeActivities.js";
export {
  type ActivityFeed,
  type ActivityFeedOptions,
  useRealtimeActivityFeed,
} from "./hooks/useRealtimeActivityFeed.js";
export { type ChartOptions, useRealtimeChartData } from "./hooks/useRealtimeChartData.js";
export { type Connection, useRealtimeConnection } from "./hooks/useRealtimeConnection.js";
export { type DashboardMetrics, useRealtimeDashboardMetrics } from "./hooks/useRealtimeDashboardMetrics.js";
export { type Metrics, type MetricsOptions, useRealtimeMetrics } from "./hooks/useRealtimeMetrics.js";
export { useRealtimePerformance } from "./hooks/useRealtimePerformance.js";
export { type Subscriptions, useRealtimeSubscriptions } from "./hooks/useRealtimeSubscriptions.js";
export type { TaskState } from "./hooks/useTask.js";
export { type UseToasts, useToasts } from "./hooks/useToasts.js";
export {
  type AnyEvent,
  type PayloadOf,
  type UseWebSocket,
  useWebSocket,
  type WebSocketOptions,
} from "./hooks/useWebSocket.js";
export { ChannelError, type ChannelOptions, type ChannelState } from "./stores/channel.js";
export type { FeedRow, FeedView } from "./stores/feed.js";
export type { Series } from "./stores/series.js";
export type { Severity, Toast, ToastAction, ToastOptions } from "./stores/toasts.js";
