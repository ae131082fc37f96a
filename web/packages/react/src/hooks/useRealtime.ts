/** The client and what can be done with it. */

import type { Client, ConnectionStatus } from "@vagus/client";
import { useProvided } from "../context.js";
import { all, useTracked } from "./useSelected.js";

export interface UseRealtime
  extends Pick<Client, "connect" | "disconnect" | "retry" | "publish" | "call" | "send"> {
  readonly client: Client;
  /** The component renders when a property of it changes that it reads. */
  readonly status: ConnectionStatus;
}

/**
 * The functions stay the same for the life of the client.
 *
 * ```tsx
 * const { status, publish } = useRealtime();
 * ```
 */
export function useRealtime(): UseRealtime {
  const { client } = useProvided();
  const { connect, disconnect, retry, publish, call, send } = client;
  return { client, status: useTracked(client.status, all), connect, disconnect, retry, publish, call, send };
}
