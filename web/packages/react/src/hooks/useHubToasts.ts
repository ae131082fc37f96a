/** What the hub tells, as toasts. */

import { useEffect } from "react";
import { useProvided } from "../context.js";
import { channelStore } from "../stores/channel.js";
import { toastOf } from "../stores/events.js";
import type { ToastOptions } from "../stores/toasts.js";
import { watchConnection } from "../stores/transitions.js";

/**
 * Toasts for changes of the connection, for refused channels but these, for the events of these channels, and for those
 * that the hub sends to the user alone. What is in a channel's history is past and makes none.
 */
export function useHubToasts(channels: readonly string[] | undefined): void {
  const { client, toasts, channels: usual } = useProvided();
  const followed = JSON.stringify(channels ?? [usual.alerts]);

  useEffect(() => {
    const names: readonly string[] = JSON.parse(followed);
    const notify = (toast: ToastOptions | undefined): void => {
      if (toast && client.preferences.get().notifications) toasts.add(toast);
    };
    let refused: string[] = [];
    const noteRefusals = (): void => {
      const before = refused;
      refused = [];
      for (const [channel, { state, code, reason }] of client.subscriptions.get()) {
        if (state !== "unsubscribed" || code === 0 || names.includes(channel)) continue;
        refused.push(channel);
        if (!before.includes(channel)) notify({ title: channel, message: reason, severity: "error" });
      }
    };
    const action = { label: "Retry now", run: client.retry };
    const ends = [
      watchConnection(client.status, (told) =>
        notify(told.severity === "error" ? { ...told, duration: Number.POSITIVE_INFINITY, action } : told),
      ),
      client.subscriptions.subscribe(noteRefusals),
      client.onMessage((data) => notify(toastOf(data))),
      ...names.map((name) =>
        channelStore(client, name, {}).listen((batch, isNew) => {
          if (isNew) for (const { data } of batch) notify(toastOf(data));
        }),
      ),
    ];
    noteRefusals();
    return () => {
      for (const end of ends) end();
    };
  }, [client, toasts, followed]);
}
