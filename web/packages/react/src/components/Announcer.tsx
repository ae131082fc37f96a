/** The region in which a screen reader hears what `useAnnounce` and toasts say; there before anything is said. */

import { type ReactNode, useEffect, useState } from "react";
import { useProvided } from "../context.js";

/**
 * Needed only where neither `<RealtimeStatus>` nor `<RealtimeToasts>` is, and inside a modal dialog, which silences
 * the regions outside. Of several the one that was mounted last speaks.
 *
 * ```tsx
 * <Announcer />
 * ```
 */
export function Announcer(): ReactNode {
  const { announcements } = useProvided();
  const [{ text, urgent, turn }, setSaid] = useState({ text: "", urgent: false, turn: 0 });
  useEffect(
    () => announcements.join((said) => setSaid((before) => ({ ...said, turn: before.turn + 1 }))),
    [announcements],
  );
  // A new element for each, so that the same words are said again.
  const words = <span key={turn}>{text}</span>;
  return (
    <div className="vagus-hidden">
      <div role="status">{!urgent && words}</div>
      <div role="alert">{urgent && words}</div>
    </div>
  );
}
