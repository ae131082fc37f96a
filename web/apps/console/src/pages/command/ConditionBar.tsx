/**
 * How the pulses do and what to do about it; and while the view is frozen, how many of them wait.
 *
 * Screen readers hear of it when it changes, but for what the connection has told them already.
 */

import { useAnnounce, useRealtimeConnection } from "@vagus/react";
import { Play } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { clockAhead } from "../../clock.js";
import { useRole } from "../../session.js";
import { useStore } from "../../store.js";
import { Button } from "../../ui/Button.js";
import { Mark, type Tone } from "../../ui/Mark.js";
import { useIsAway } from "../../useIsAway.js";
import { useFigures, usePace } from "./asking.js";
import { type Condition, conditionOf, type Kind } from "./condition.js";
import { useFeed, useFeedState, useFollowed } from "./useFeed.js";
import { useNow } from "./useNow.js";

const TONES: Readonly<Record<Kind, Tone>> = {
  connected: "good",
  failing: "warn",
  connecting: "unknown",
  away: "unknown",
  stale: "warn",
  paused: "paused",
  error: "bad",
};

/** So soon silence is noticed. */
const LOOK_MS = 2_000;

export function ConditionBar({ resume }: { readonly resume: () => void }): ReactNode {
  const subscription = useFollowed(useFeed());
  const { shown, isPaused, waiting } = useFeedState();
  const isAway = useIsAway();
  const now = useNow(LOOK_MS);
  const ahead = useStore(clockAhead);
  const mayChange = useRole("operator");
  const { mutate, isPending } = usePace();
  const [since] = useState(() => Date.now() - clockAhead.get());
  const condition = conditionOf({
    isAway,
    subscription,
    newest: shown.at(-1),
    pace: useFigures().data,
    // What waits is not shown yet, but no reason to complain of silence.
    now: isPaused && waiting > 0 ? 0 : now - ahead,
    since,
  });
  useTold(condition);
  const { kind, title, advice } = condition;
  const isQuiet = kind === "connected" || kind === "failing" || kind === "away";
  return (
    <div
      className={`flex flex-wrap items-center gap-x-3 gap-y-2 rounded-control text-sm ${isQuiet ? "" : "border border-line-strong bg-surface px-3 py-2"}`}
      data-condition={kind}
    >
      <p className="flex min-w-0 flex-wrap items-center gap-x-2">
        <Mark tone={TONES[kind]} />
        <strong className="font-semibold">{title}</strong>
      </p>
      <p className="min-w-0 text-muted">{advice}</p>
      {kind === "paused" && mayChange && (
        <Button size="small" icon={Play} busy={isPending} onClick={() => mutate("resume")}>
          Resume pulses for everybody
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

/** That a connection is lost, back or silent is told by the provider. */
function useTold({ kind, title, advice }: Condition): void {
  const announce = useAnnounce();
  const isSilent = useRealtimeConnection(({ state }) => state === "stale");
  const told = useRef<Kind>("connected");
  useEffect(() => {
    if (kind === told.current || kind === "away" || kind === "connecting") return;
    told.current = kind;
    if (!isSilent) announce(`${title}. ${advice}`);
  }, [announce, kind, title, advice, isSilent]);
}

function waitingText(waiting: number): string {
  if (waiting === 0) return "Resume";
  return `${waiting.toLocaleString()} new pulse${waiting === 1 ? "" : "s"} - resume`;
}
