/** A user's own messages, by type of event. */

import type { Channels, Client, Envelope, Json } from "@vagus/client";
import { useCallback, useContext } from "react";
import { RealtimeContext } from "../context.js";
import { borrowed, ownedClient } from "../stores/clients.js";
import { isEnvelope } from "../stores/events.js";
import { isThere } from "../stores/states.js";
import { useHeldClient } from "./useHeldClient.js";
import { useSelected } from "./useSelected.js";

/** Every event that is declared, of all channels. */
export type AnyEvent = Extract<Channels[keyof Channels], Envelope>;

/** What an event of this type carries, as far as it is declared. */
export type PayloadOf<Type extends string> = Type extends AnyEvent["type"]
  ? Extract<AnyEvent, { readonly type: Type }>["payload"]
  : unknown;

export interface WebSocketOptions {
  /** Connect when mounted. `true` by default. */
  readonly autoConnect?: boolean;
  /** The server, where there is no provider above; a page's own by default. */
  readonly url?: string;
  /** Fetches the user's token, where there is no provider above. */
  readonly getToken?: (userId: string) => Promise<string>;
}

export interface UseWebSocket extends Pick<Client, "connect" | "disconnect"> {
  readonly isConnected: boolean;
  /** Send an event. Without a connection it waits. */
  readonly send: (type: string, payload?: Json) => Promise<void>;
  /** Hear the events of a type. Returns what ends that; call it when the component is gone. */
  readonly on: <Type extends AnyEvent["type"] | (string & {})>(
    type: Type,
    listener: (payload: PayloadOf<Type>, event: Envelope) => void,
  ) => () => void;
}

/**
 * The connection is the provider's if there is one above. If there is none, all who ask for the same server and user
 * share one, which is closed when the last of them is gone.
 *
 * ```tsx
 * const { isConnected, send, on } = useWebSocket(user.id);
 * useEffect(() => on("Alert", (alert) => show(alert.title)), [on]);
 * ```
 */
export function useWebSocket(
  userId: string,
  { autoConnect = true, url, getToken }: WebSocketOptions = {},
): UseWebSocket {
  const provided = useContext(RealtimeContext)?.client;
  const owned = provided
    ? borrowed(provided)
    : ownedClient(JSON.stringify([url, userId]), {
        ...(url && { url }),
        ...(getToken && { getToken: () => getToken(userId) }),
      });
  const client = useHeldClient(owned, autoConnect);

  const isConnected = useSelected(client.status, ({ state }) => isThere(state));
  const on = useCallback<UseWebSocket["on"]>(
    (type, listener) =>
      client.onMessage((data) => {
        if (isEnvelope(data) && data.type === type) listener(data.payload as never, data as Envelope);
      }),
    [client],
  );
  const { send, connect, disconnect } = client;
  return { isConnected, send, on, connect, disconnect };
}
