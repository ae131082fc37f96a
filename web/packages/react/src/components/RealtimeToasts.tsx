/**
 * Toasts, and what makes some by itself: changes of the connection, channels that are refused, alerts and other events
 * of the hub.
 *
 * None of them goes while the pointer or the focus is on one. A person who switched notifications off sees those of the
 * page's own code alone.
 */

import { type KeyboardEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useHubToasts } from "../hooks/useHubToasts.js";
import { usePreferences } from "../hooks/usePreferences.js";
import { useToasts } from "../hooks/useToasts.js";
import type { Toast } from "../stores/toasts.js";
import { Announcer } from "./Announcer.js";
import { Mark } from "./ConnectionDot.js";

/** Timers do not count much further; a toast that is to stay longer stays until it is dismissed. */
const LONGEST_MS = 1e9;

export interface RealtimeToastsProps {
  /** Whose events become toasts; the provider's channel for alerts by default. */
  readonly channels?: readonly string[];
  readonly placement?: "bottom-end" | "bottom-start" | "top-end" | "top-start";
  /** How many are seen at a time, 4 by default; the others are counted. */
  readonly visible?: number;
}

/**
 * One for a page, anywhere in it.
 *
 * ```tsx
 * <RealtimeToasts channels={["alerts", "admins"]} />
 * ```
 */
export function RealtimeToasts({
  channels,
  placement = "bottom-end",
  visible = 4,
}: RealtimeToastsProps): ReactNode {
  const { toasts, dismiss, clear } = useToasts();
  const { animation } = usePreferences().preferences;
  const [isHovered, setHovered] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const stack = useRef<HTMLElement>(null);
  useHubToasts(channels);

  const close = useCallback(
    (id?: number) => {
      if (stack.current?.contains(document.activeElement)) stack.current.focus(); // or it would be lost
      if (id) dismiss(id);
      else clear();
    },
    [dismiss, clear],
  );
  // What vanishes under the pointer or the focus is never left by it.
  useEffect(() => {
    if (toasts.length === 0) setHovered(false);
    if (!stack.current?.contains(document.activeElement)) setFocused(false);
  }, [toasts]);

  const hidden = toasts.length - visible;
  return (
    <section
      ref={stack}
      className="vagus vagus-toasts"
      aria-label="Notifications"
      data-placement={placement}
      data-still={animation ? undefined : ""}
      tabIndex={-1}
      onFocus={({ target, currentTarget }) => setFocused(target !== currentTarget)}
      onBlur={() => setFocused(false)}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
    >
      <ol>
        {toasts.slice(-visible).map((toast) => (
          <ToastCard key={toast.id} toast={toast} isPaused={isHovered || isFocused} close={close} />
        ))}
      </ol>
      {hidden > 0 && (
        <button type="button" className="vagus-button vagus-action" onClick={() => close()}>
          Dismiss all, {hidden} more
        </button>
      )}
      <Announcer />
    </section>
  );
}

interface ToastCardProps {
  readonly toast: Toast;
  readonly isPaused: boolean;
  readonly close: (id: number) => void;
}

/** One toast. Its time begins when it is added, added again, or let go by the pointer and the focus. */
function ToastCard({ toast, isPaused, close }: ToastCardProps): ReactNode {
  const { id, title, message, severity, action, count } = toast;
  useEffect(() => {
    if (isPaused || toast.duration > LONGEST_MS) return;
    const timer = setTimeout(() => close(toast.id), toast.duration);
    return () => clearTimeout(timer);
  }, [toast, isPaused, close]);
  const closeOnEscape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") close(id);
  };
  return (
    <li className="vagus-toast" data-severity={severity} onKeyDown={closeOnEscape}>
      <Mark of={severity} />
      <div className="vagus-toast-text">
        <p>
          <span className="vagus-hidden">{severity}: </span>
          <strong>{title}</strong>
          {count > 1 && <span className="vagus-muted"> ×{count}</span>}
        </p>
        {message && <p>{message}</p>}
        {action && (
          <button
            type="button"
            className="vagus-button vagus-action"
            onClick={() => {
              action.run();
              close(id);
            }}
          >
            {action.label}
          </button>
        )}
      </div>
      <button
        type="button"
        className="vagus-button"
        aria-label={`Dismiss: ${title}`}
        onClick={() => close(id)}
      >
        ×
      </button>
    </li>
  );
}
