/**
 * How the page does and what to do about it; and while the view is frozen, how many pulses wait.
 *
 * It is a live region that is always there, so that screen readers hear when its title changes.
 */

import { useRealtimeConnection } from "@vagus/react";
import { Play, RotateCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { client } from "../../connection.js";
import { Button } from "../../ui/Button.js";
import { Mark, type Tone } from "../../ui/Mark.js";
import { conditionOf, type Kind } from "./condition.js";
import { useFeed, useFeedState, useFollowed } from "./useFeed.js";
import { useNow } from "./useNow.js";

const TONES: Readonly<Record<Kind, Tone>> = {
  connected: "good",
  connecting: "unknown",
  disconnected: "unknown",
  stale: "warn",
  paused: "paused",
  error: "bad",
};

/** So soon silence is noticed. */
const LOOK_MS = 2_000;

export function ConditionBar({ resume }: { readonly resume: () => void }): ReactNode {
  const subscription = useFollowed(useFeed());
  const { shown, isPaused, waiting } = useFeedState();
  const state = useRealtimeConnection(({ state }) => state);
  const reason = useRealtimeConnection(({ reason }) => reason);
  const now = useNow(LOOK_MS);
  const [since] = useState(() => Date.now());
  const { kind, title, advice } = conditionOf({
    connection: { state, reason },
    subscription,
    newest: shown.at(-1),
    // What waits is not shown yet, but no reason to complain of silence.
    now: isPaused && waiting > 0 ? 0 : now,
    since,
  });
  const isQuiet = kind === "connected";
  return (
    <div
      className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-control text-sm ${isQuiet ? "" : "forced-line border border-line-strong bg-surface px-3 py-2"}`}
      data-condition={kind}
    >
      <p role="status" className="flex min-w-0 flex-wrap items-center gap-x-2">
        <Mark tone={TONES[kind]} />
        <strong className="font-semibold">{title}</strong>
      </p>
      <p className="min-w-0 text-muted">{advice}</p>
      {(kind === "error" || kind === "disconnected" || kind === "connecting") && shown.length > 0 && (
        <Button size="small" icon={RotateCw} onClick={() => client.retry()}>
          Retry now
        </Button>
      )}
      {isPaused && (
        <span className="ms-auto flex items-center gap-2">
          <Mark tone="paused" />
          <span>View paused</span>
          <Button size="small" variant="primary" icon={Play} onClick={resume}>
            {waitingText(waiting)}
          </Button>
        </span>
      )}
    </div>
  );
}

function waitingText(waiting: number): string {
  if (waiting === 0) return "Resume";
  return `${waiting.toLocaleString()} new pulse${waiting === 1 ? "" : "s"} - resume`;
}
