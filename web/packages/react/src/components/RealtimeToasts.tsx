/**
 * Toasts, and what makes some by itself: changes of the connection, channels that are refused, alerts and other events
 * of the hub.
 *
 * None of them goes while the pointer or the focus is on one. A person who switched notifications off sees those of the
 * page's own code alone.
 */

import { type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import { useProvided } from "../context.js";
import { useHubToasts } from "../hooks/useHubToasts.js";
import { usePreferences } from "../hooks/usePreferences.js";
import { useToasts } from "../hooks/useToasts.js";
import { Announcer } from "./Announcer.js";
import { ToastCard } from "./ToastCard.js";

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
  const { channels: names } = useProvided();
  const { toasts, dismiss, clear } = useToasts();
  const { animation } = usePreferences().preferences;
  const [isHovered, setHovered] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const stack = useRef<HTMLElement>(null);
  useHubToasts(channels ?? [names.alerts]);

  const close = useCallback(
    (id: number) => {
      if (stack.current?.contains(document.activeElement)) stack.current.focus(); // or it would be lost
      dismiss(id);
    },
    [dismiss],
  );
  const isEmpty = toasts.length === 0;
  useEffect(() => {
    if (isEmpty) setHovered(false); // what vanishes under the pointer is never left by it
  }, [isEmpty]);

  const hidden = toasts.length - visible;
  return (
    <section
      ref={stack}
      className="vagus vagus-toasts"
      aria-label="Notifications"
      data-placement={placement}
      data-still={animation ? undefined : ""}
      tabIndex={-1}
      onFocus={() => setFocused(true)}
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
        <button type="button" className="vagus-button vagus-action" onClick={clear}>
          Dismiss all, {hidden} more
        </button>
      )}
      <Announcer />
    </section>
  );
}
