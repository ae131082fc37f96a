/** The words for the states of a connection. */

import type { ConnectionState } from "@vagus/client";

export const LABELS: Readonly<Record<ConnectionState, string>> = {
  connected: "Connected",
  connecting: "Connecting",
  stale: "No new data",
  disconnected: "Disconnected",
  error: "No connection",
};
