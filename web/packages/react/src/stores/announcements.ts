/**
 * What a screen reader is told, at most once in five seconds: what came meanwhile is told as one summary.
 *
 * Of all regions on a page one speaks, the newest, so that an open dialog's own is heard. Nothing is kept for later
 * when there is none.
 */

import type { ToastOptions } from "./toasts.js";

export interface Announcement {
  readonly text: string;
  /** Interrupts what is being read; for what cannot wait. */
  readonly urgent: boolean;
}

export interface Announcements {
  readonly say: (text: string, urgent?: boolean) => void;
  /** Say what a toast says. */
  readonly tell: (toast: ToastOptions) => void;
  /** Have a region speak. Returns what ends that. */
  readonly join: (region: (announcement: Announcement) => void) => () => void;
}

const QUIET_MS = 5_000;
const MOST = 100;

export function newAnnouncements(): Announcements {
  const regions: ((announcement: Announcement) => void)[] = [];
  /** What waits; first of all, while it is quiet, what was said last. */
  let queue: Announcement[] = [];

  const speak = (): void => {
    const said = summary(queue);
    regions.at(-1)?.(said);
    queue = [said];
    setTimeout(() => {
      queue.shift();
      if (queue.length > 0) speak();
    }, QUIET_MS);
  };
  const say = (text: string, urgent = false): void => {
    if (regions.length === 0 || queue.some((other) => other.text === text)) return;
    if (queue.length === MOST) queue.splice(1, 1);
    queue.push({ text, urgent });
    if (queue.length === 1) speak();
  };
  return {
    say,
    tell: ({ title, message, severity }) =>
      say(message ? `${title}: ${message}` : title, severity === "error"),
    join: (region) => {
      regions.push(region);
      return () => void regions.splice(regions.indexOf(region), 1);
    },
  };
}

/** One announcement for several: how many, and the newest of the most urgent. */
function summary(several: readonly Announcement[]): Announcement {
  const urgent = several.filter((one) => one.urgent);
  const { text, urgent: isUrgent } = (urgent.at(-1) ?? several.at(-1)) as Announcement;
  const count = isUrgent ? `, ${urgent.length} urgent` : "";
  return {
    text: several.length === 1 ? text : `${several.length} new messages${count}. ${text}`,
    urgent: isUrgent,
  };
}
