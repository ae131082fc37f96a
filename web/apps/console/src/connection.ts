/**
 * The one connection of the page, and what follows from its changes: after a loss what was asked over HTTP is asked anew,
 * and after a refusal the session is looked at.
 */

import { QueryClient } from "@tanstack/react-query";
import { type Client, createClient } from "@vagus/client";
import { ApiError } from "./api.js";
import { check, session } from "./session.js";

/** After so long without any message the connection counts as silent (FUS-7). */
const SILENT_AFTER_MS = 600_000;

export const client: Client = createClient({
  name: "console",
  retry: { tries: Number.POSITIVE_INFINITY, maxDelay: 10_000 },
  staleAfter: SILENT_AFTER_MS,
});

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      // The browser's idea of being online says nothing about a server on this machine.
      networkMode: "always",
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status > 0),
    },
    mutations: { networkMode: "always" },
  },
});

/** Connect while somebody is signed in. */
export function keepConnected(): void {
  let was = session.get().state;
  session.subscribe(() => {
    const { state } = session.get();
    if (state === "in" && was !== "in") {
      client.retry();
      void queries.invalidateQueries();
    }
    if (state === "out") {
      client.disconnect();
      queries.clear();
    }
    was = state;
  });

  let before = client.status.get().state;
  let hadConnection = false;
  client.status.subscribe(() => {
    const { state } = client.status.get();
    if (state === before) return;
    if (state === "connected" && before !== "stale") {
      if (hadConnection) void queries.invalidateQueries();
      hadConnection = true;
    }
    if (state === "error" && session.get().state === "in") void check();
    before = state;
  });
}
