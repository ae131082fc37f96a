/** How long ago something was, in words that keep up with the time. */

import type { ReactNode } from "react";
import { useSelected } from "../hooks/useSelected.js";
import { absolute, ago, clock } from "../stores/clock.js";

export interface AgeProps {
  /** Milliseconds since 1970; `null` or 0 where it is not known. */
  readonly at: number | null;
  /** What stands there then; a dash by default. */
  readonly none?: string;
  /** Whether the keyboard reaches it, to show the exact time. `true` by default; not in the rows of a long list. */
  readonly focusable?: boolean;
}

/**
 * Such as "3 minutes ago"; on hover and focus the exact time. It renders when the words change, and all on a page share
 * one timer.
 *
 * ```tsx
 * <Age at={receivedAt} />
 * ```
 */
export function Age({ at, none = "–", focusable = true }: AgeProps): ReactNode {
  const words = useSelected(clock, (now) => (at ? ago(at, now) : none));
  if (!at) return <span className="vagus vagus-age">{none}</span>;
  return (
    <time
      className="vagus vagus-age"
      dateTime={new Date(at).toISOString()}
      title={absolute(at)}
      tabIndex={focusable ? 0 : undefined}
    >
      {words}
    </time>
  );
}
