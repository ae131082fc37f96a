/** Telling people who listen to the page. */

import { useProvided } from "../context.js";

/**
 * Have a screen reader say something; `urgent` interrupts what it is reading. What comes within five seconds is said
 * as one summary. `<RealtimeStatus>`, `<RealtimeToasts>` and `<Announcer>` bring the region that it takes.
 *
 * ```tsx
 * const announce = useAnnounce();
 * announce("12 orders are new");
 * ```
 */
export function useAnnounce(): (text: string, urgent?: boolean) => void {
  return useProvided().announcements.say;
}
