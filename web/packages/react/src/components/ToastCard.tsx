/** One toast. Its time begins when it is added, added again, or let go by the pointer and the focus. */

import { type KeyboardEvent, type ReactNode, useEffect } from "react";
import type { Toast } from "../stores/toasts.js";
import { Mark } from "./Mark.js";

export interface ToastCardProps {
  readonly toast: Toast;
  readonly isPaused: boolean;
  readonly close: (id: number) => void;
}

export function ToastCard({ toast, isPaused, close }: ToastCardProps): ReactNode {
  const { id, title, message, severity, action, count } = toast;
  useEffect(() => {
    if (isPaused || toast.duration === Number.POSITIVE_INFINITY) return;
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
