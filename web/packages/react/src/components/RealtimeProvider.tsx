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
import { newAnnouncements } from "../stores/announcements.js";
import { ownedClient } from "../stores/clients.js";
import { newToasts, type Toast, textOf } from "../stores/toasts.js";
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
export function RealtimeProvider({ client, options, ...rest }: RealtimeProviderProps): ReactNode {
  return client === undefined ? (
    <OwnClient options={options ?? {}} {...rest} />
  ) : (
    <Provision client={client} {...rest} />
  );
}

interface Provided {
  readonly children?: ReactNode;
  readonly channels?: Partial<ChannelNames>;
}

function OwnClient({ options, ...rest }: Provided & { readonly options: ClientOptions }): ReactNode {
  const [key] = useState(() => ({}));
  const { client, hold } = ownedClient(key, options);
  useEffect(() => {
    client.connect();
    return hold();
  }, [client, hold]);
  return <Provision client={client} {...rest} />;
}

function Provision({ client, channels, children }: Provided & { readonly client: Client }): ReactNode {
  const [own] = useState(() => {
    const announcements = newAnnouncements();
    const announce = (toast: Toast): void => announcements.say(textOf(toast), toast.severity === "error");
    return { announcements, toasts: newToasts(announce) };
  });
  const { metrics, dashboard, activities, alerts } = { ...CHANNELS, ...channels };
  const realtime = useMemo<Realtime>(
    () => ({ client, channels: { metrics, dashboard, activities, alerts }, ...own }),
    [client, metrics, dashboard, activities, alerts, own],
  );
  useEffect(
    () =>
      watchConnection(client.status, (told, state) => own.announcements.say(textOf(told), state === "error")),
    [client, own],
  );
  return <RealtimeContext value={realtime}>{children}</RealtimeContext>;
}

const CHANNELS: ChannelNames = {
  metrics: "fusion",
  dashboard: "analytics",
  activities: "user-activity",
  alerts: "alerts",
};
