/**
 * Signs from outside that a connection may be dead or may work again: the network changed, the page is shown again, or
 * the machine has slept, which shows in a timer that comes far too late.
 *
 * Waiting for the server's ping instead would take half a minute. A page in the background has its timers held back, so
 * that lateness means nothing there; it says when it is shown.
 */

import type { Clock } from "./clock.js";

const BEAT_MS = 2000;
const LATE_MS = 4000;

/** Calls `suspect` at signs that the connection is dead, `check` at others, until what is returned is called. */
export function watchSignals(check: () => void, suspect: () => void, clock: Clock): () => void {
  const shown = (): void => {
    if (!isHidden()) check();
  };
  const targets = [
    [globalThis, "online", check],
    [globalThis, "offline", suspect],
    [globalThis, "pageshow", shown],
    [globalThis.document, "visibilitychange", shown],
    [globalThis.document, "resume", shown],
  ] as const;
  for (const [target, name, listener] of targets) target?.addEventListener?.(name, listener);

  let due = clock.now() + BEAT_MS;
  const beat = (): void => {
    const isLate = clock.now() > due + LATE_MS;
    due = clock.now() + BEAT_MS;
    cancel = clock.idly(BEAT_MS, beat);
    if (isLate) shown();
  };
  let cancel = clock.idly(BEAT_MS, beat);

  return () => {
    cancel();
    for (const [target, name, listener] of targets) target?.removeEventListener?.(name, listener);
  };
}

function isHidden(): boolean {
  return typeof document !== "undefined" && document.visibilityState === "hidden";
}
