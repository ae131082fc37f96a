/** The changes of a connection that a person should hear of: lost, back, silent, given up; not each attempt. */

import type { ConnectionState, ConnectionStatus, Store } from "@vagus/client";
import { isThere, LABELS } from "./states.js";
import type { Severity, ToastOptions } from "./toasts.js";

/** Calls back for each such change with how to tell it. Returns what ends that. */
export function watchConnection(
  store: Store<ConnectionStatus>,
  tell: (told: ToastOptions) => void,
): () => void {
  let { state } = store.get();
  let isNews = state === "connected";
  return store.subscribe(() => {
    const { state: next, reason } = store.get();
    if (next === state) return;
    const wasThere = isThere(state);
    state = next;
    isNews ||= state === "error"; // the first connection is none, but for its failure
    if (state === "connecting" ? wasThere : isNews) {
      tell({
        title: TITLES[state],
        message: reason,
        severity: SEVERITIES[state] ?? "warning",
        key: "connection",
      });
    }
    isNews ||= state === "connected";
  });
}

const TITLES: Readonly<Record<ConnectionState, string>> = {
  ...LABELS,
  connected: "Connected again",
  connecting: "Connection lost",
};

const SEVERITIES: Readonly<Partial<Record<ConnectionState, Severity>>> = {
  connected: "success",
  disconnected: "info",
  error: "error",
};
