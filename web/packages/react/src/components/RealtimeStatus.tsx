/**
 * How the connection does: a mark, and behind it, step by step, the details, the figures and the settings.
 *
 * The panel is a dialog that leaves the page usable: Escape, a click beside it and moving the focus away close it, and
 * Escape gives the focus back to the button.
 */

import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { usePreferences } from "../hooks/usePreferences.js";
import { useRealtime } from "../hooks/useRealtime.js";
import { useRealtimeConnection } from "../hooks/useRealtimeConnection.js";
import { useRealtimePerformance } from "../hooks/useRealtimePerformance.js";
import { useSelected } from "../hooks/useSelected.js";
import { clock } from "../stores/clock.js";
import { isThere, LABELS } from "../stores/states.js";
import { Age } from "./Age.js";
import { Announcer } from "./Announcer.js";
import { Mark } from "./ConnectionDot.js";

export interface RealtimeStatusProps {
  /** Where the panel opens, seen from the button. `bottom-end` by default. */
  readonly placement?: "bottom-end" | "bottom-start" | "top-end" | "top-start";
  /** Whether it opens at all. `true` by default. */
  readonly details?: boolean;
}

/**
 * ```tsx
 * <header><RealtimeStatus /></header>
 * ```
 */
export function RealtimeStatus({ placement = "bottom-end", details = true }: RealtimeStatusProps): ReactNode {
  const { animation } = usePreferences().preferences;
  return (
    <div className="vagus vagus-status" data-placement={placement} data-still={animation ? undefined : ""}>
      {details ? <Disclosure /> : <Summary />}
      <Announcer />
    </div>
  );
}

function Disclosure(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = ({ target }: Event): void => {
      if (target instanceof Node && !root.current?.contains(target)) setOpen(false);
    };
    document.addEventListener("pointerdown", closeOutside);
    return () => document.removeEventListener("pointerdown", closeOutside);
  }, [isOpen]);

  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !isOpen) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  const closeOnLeaving = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget instanceof Node && !root.current?.contains(relatedTarget)) setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what bubbles up from the button and the panel
    <div ref={root} onKeyDown={closeOnEscape} onBlur={closeOnLeaving}>
      <button
        ref={button}
        type="button"
        className="vagus-button vagus-status-button"
        aria-haspopup="dialog"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      >
        <Summary />
      </button>
      {isOpen && <StatusPanel />}
    </div>
  );
}

function Summary(): ReactNode {
  const state = useRealtimeConnection((connection) => connection.state);
  const { received } = useRealtimePerformance();
  return (
    <span className="vagus-summary" data-state={state}>
      <Mark of={state} />
      <span className="vagus-label">{LABELS[state]}</span>
      <span className="vagus-count">
        {received.toLocaleString()}
        <span className="vagus-hidden"> updates</span>
      </span>
    </span>
  );
}

/** What is disclosed: the connection, then its figures, then the settings. */
function StatusPanel(): ReactNode {
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
      {!isThere(state) && (
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

const SWITCHES = {
  notifications: "Notifications",
  autoReconnect: "Reconnect by itself",
  animation: "Animation",
} as const;

/** What a person can choose. */
function Settings(): ReactNode {
  const { preferences, set, reset } = usePreferences();
  return (
    <div className="vagus-settings">
      {(Object.keys(SWITCHES) as (keyof typeof SWITCHES)[]).map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={preferences[name]}
            onChange={() => set({ [name]: !preferences[name] })}
          />
          {SWITCHES[name]}
        </label>
      ))}
      <label>
        Seconds between updates, at least
        <input
          type="number"
          min="0"
          max="3600"
          value={preferences.refreshEvery / 1000}
          onChange={({ currentTarget }) => {
            if (currentTarget.checkValidity()) set({ refreshEvery: currentTarget.valueAsNumber * 1000 || 0 });
          }}
        />
      </label>
      <button type="button" className="vagus-button vagus-action" onClick={reset}>
        Reset
      </button>
    </div>
  );
}
