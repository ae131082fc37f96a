/**
 * How the connection does: a mark, and behind it, step by step, the details, the figures and the settings.
 *
 * The panel is a dialog that leaves the page usable: Escape, a click beside it and moving the focus away close it, and
 * Escape gives the focus back to the button.
 */

import { type FocusEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { usePreferences } from "../hooks/usePreferences.js";
import { useRealtimeConnection } from "../hooks/useRealtimeConnection.js";
import { useRealtimePerformance } from "../hooks/useRealtimePerformance.js";
import { LABELS } from "../stores/states.js";
import { Announcer } from "./Announcer.js";
import { Mark } from "./Mark.js";
import { StatusPanel } from "./StatusPanel.js";

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
