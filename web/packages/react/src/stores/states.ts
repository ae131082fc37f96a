/** What the states of a connection mean, and the words for them. */

import type { ConnectionState } from "@vagus/client";

export const LABELS: Readonly<Record<ConnectionState, string>> = {
  connected: "Connected",
  connecting: "Connecting",
  stale: "No new data",
  disconnected: "Disconnected",
  error: "No connection",
};

/** Whether there is a connection in this state, though perhaps a silent one. */
export const isThere = (state: ConnectionState): boolean => state === "connected" || state === "stale";
