/** How the connection does. */

import type { ConnectionStatus } from "@vagus/client";
import { useMemo } from "react";
import { useProvided } from "../context.js";
import { isThere } from "../stores/states.js";
import { useSelected, useTracked } from "./useSelected.js";

export interface Connection extends ConnectionStatus {
  /** There is a connection, though perhaps a silent one. */
  readonly isConnected: boolean;
  /** There is a connection, and nothing came for `staleAfter`. */
  readonly isStale: boolean;
  /** How long ago anything came from the server, in milliseconds, at the time of asking; `null` before that. */
  readonly age: () => number | null;
}

/**
 * With a selector the component renders when what that returns changes, and else when a property changes that it
 * reads.
 *
 * ```tsx
 * const { isConnected, reason } = useRealtimeConnection();
 * const attempt = useRealtimeConnection((connection) => connection.attempt);
 * ```
 */
export function useRealtimeConnection(): Connection;
export function useRealtimeConnection<S>(select: (connection: Connection) => S): S;
export function useRealtimeConnection<S>(select?: (connection: Connection) => S): Connection | S {
  const { client } = useProvided();
  const connectionOf = useMemo(() => {
    const age = (): number | null => {
      const { lastMessageAt } = client.status.get();
      return lastMessageAt && Date.now() - lastMessageAt;
    };
    return (status: ConnectionStatus): Connection => {
      const { state } = status;
      return { ...status, isStale: state === "stale", isConnected: isThere(state), age };
    };
  }, [client]);
  const read = useTracked(client.status, connectionOf);
  const selected = useSelected(client.status, (status) => select?.(connectionOf(status)));
  return select === undefined ? read : (selected as S);
}
