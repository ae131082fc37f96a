/** The marks of states and severities, and how one channel does, as such a mark beside what it shows. */

import type { ConnectionState, SubscriptionStatus } from "@vagus/client";
import type { ReactNode } from "react";
import { useRealtimeConnection } from "../hooks/useRealtimeConnection.js";
import { useRealtimeSubscriptions } from "../hooks/useRealtimeSubscriptions.js";
import type { Severity } from "../stores/toasts.js";

export interface ConnectionDotProps {
  readonly channel: string;
  /** How the panel is called; the channel's name by default. */
  readonly label?: string;
}

/**
 * It follows nothing itself: it tells how the channel does that others on the page follow.
 *
 * ```tsx
 * <ConnectionDot channel="fusion" label="Revenue" />
 * ```
 */
export function ConnectionDot({ channel, label = channel }: ConnectionDotProps): ReactNode {
  const connection = useRealtimeConnection(({ state }) => state);
  const [state, words] = useRealtimeSubscriptions((channels) => stateOf(connection, channels.get(channel)));
  const text = `${label}: ${words}`;
  return (
    <span className="vagus vagus-dot" role="img" aria-label={text} title={text}>
      <Mark of={state} />
    </span>
  );
}

function stateOf(
  connection: ConnectionState,
  status: SubscriptionStatus | undefined,
): readonly [state: ConnectionState, words: string] {
  if (connection === "disconnected" || connection === "error") return [connection, "no connection"];
  if (status === undefined) return ["disconnected", "not followed"];
  if (status.state === "unsubscribed") return ["error", status.reason || "refused"];
  if (status.state === "subscribing" || connection === "connecting") return ["connecting", "connecting"];
  if (status.isStale) return ["stale", "no new data"];
  return ["connected", "live"];
}

/** A shape of its own besides the colour, which the style sheet draws. */
export function Mark({ of }: { readonly of: ConnectionState | Severity }): ReactNode {
  return <span className="vagus-mark" data-mark={of} aria-hidden="true" />;
}
