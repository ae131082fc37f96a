/**
 * The client, for all hooks and components below.
 *
 * A client that is handed in belongs to whoever made it, who connects and closes it. With `options` the provider makes
 * its own, connects it when it is mounted and closes it when it is gone; StrictMode, which mounts everything twice,
 * gets one connection.
 */

import type { Client, ClientOptions } from "@vagus/client";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type ChannelNames, type Realtime, RealtimeContext } from "../context.js";
import { useHeldClient } from "../hooks/useHeldClient.js";
import { newAnnouncements } from "../stores/announcements.js";
import { borrowed, ownedClient } from "../stores/clients.js";
import { newToasts } from "../stores/toasts.js";
import { watchConnection } from "../stores/transitions.js";

export type RealtimeProviderProps = {
  readonly children?: ReactNode;
  /** What hooks follow when no channel is named: `fusion`, `analytics`, `user-activity` and `alerts` by default. */
  readonly channels?: Partial<ChannelNames>;
} & (
  | { readonly client: Client; readonly options?: never }
  /** Read once; give the provider another `key` for another server or user. */
  | { readonly client?: never; readonly options?: ClientOptions }
);

/**
 * ```tsx
 * <RealtimeProvider options={{ url: "https://live.example.com", getToken }}>
 *   <App />
 * </RealtimeProvider>
 * ```
 */
export function RealtimeProvider({
  client: given,
  options = {},
  channels,
  children,
}: RealtimeProviderProps): ReactNode {
  const [own] = useState(() => {
    const announcements = newAnnouncements();
    return { announcements, toasts: newToasts(announcements.tell) };
  });
  const client = useHeldClient(given ? borrowed(given) : ownedClient(own, options), !given);
  const names = JSON.stringify({ ...CHANNELS, ...channels }); // an object that is made anew changes nothing
  const realtime = useMemo<Realtime>(
    () => ({ client, channels: JSON.parse(names), ...own }),
    [client, names, own],
  );
  useEffect(() => watchConnection(client.status, own.announcements.tell), [client, own]);
  return <RealtimeContext value={realtime}>{children}</RealtimeContext>;
}

const CHANNELS: ChannelNames = {
  metrics: "fusion",
  dashboard: "analytics",
  activities: "user-activity",
  alerts: "alerts",
};
