/** What `<RealtimeStatus>` discloses: the connection, then its figures, then the settings. */

import { type ReactNode, useEffect, useRef } from "react";
import { useRealtime } from "../hooks/useRealtime.js";
import { useRealtimePerformance } from "../hooks/useRealtimePerformance.js";
import { useSelected } from "../hooks/useSelected.js";
import { clock } from "../stores/clock.js";
import { LABELS } from "../stores/states.js";
import { Age } from "./Age.js";
import { Mark } from "./Mark.js";
import { Settings } from "./Settings.js";

export function StatusPanel(): ReactNode {
  const panel = useRef<HTMLDivElement>(null);
  useEffect(() => panel.current?.focus(), []);
  return (
    <div ref={panel} className="vagus-panel" role="dialog" aria-label="Connection" tabIndex={-1}>
      <Details />
      <details>
        <summary>Figures</summary>
        <Figures />
      </details>
      <details>
        <summary>Settings</summary>
        <Settings />
      </details>
    </div>
  );
}

function Details(): ReactNode {
  const { status, connect, retry } = useRealtime();
  const { state, reason, retryAt } = status;
  const { latency } = useRealtimePerformance();
  const isAsleep = state === "disconnected";
  return (
    <>
      <p className="vagus-state">
        <Mark of={state} /> <strong>{LABELS[state]}</strong> <Age at={status.since} />
      </p>
      {reason && <p>{reason}</p>}
      {(isAsleep || state === "connecting" || state === "error") && (
        <p>
          <button type="button" className="vagus-button vagus-action" onClick={isAsleep ? connect : retry}>
            {isAsleep ? "Connect" : "Retry now"}
          </button>{" "}
          {retryAt && <Countdown to={retryAt} />}
        </p>
      )}
      <Facts
        facts={{
          "Last update": <Age at={status.lastMessageAt} />,
          Latency: milliseconds(latency),
          Transport: status.transport || "–",
        }}
      />
    </>
  );
}

function Countdown({ to }: { readonly to: number }): ReactNode {
  const seconds = useSelected(clock, (now) => Math.max(0, Math.ceil((to - now) / 1000)));
  return <span className="vagus-muted">next try in {seconds} s</span>;
}

function Figures(): ReactNode {
  const figures = useRealtimePerformance();
  return (
    <Facts
      facts={{
        Updates: figures.received,
        "Updates a second": figures.rate,
        "Average latency": milliseconds(figures.averageLatency),
        Channels: figures.subscriptions,
        "Waiting to be sent": figures.queued,
        "Passed over": figures.dropped,
        "Renders saved": figures.saved,
        Reconnections: figures.reconnections,
      }}
    />
  );
}

function Facts({ facts }: { readonly facts: Readonly<Record<string, ReactNode>> }): ReactNode {
  return (
    <dl>
      {Object.entries(facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "number" ? value.toLocaleString() : value}</dd>
        </div>
      ))}
    </dl>
  );
}

function milliseconds(duration: number | null): string {
  return duration === null ? "–" : `${Math.round(duration)} ms`;
}
