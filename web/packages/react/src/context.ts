/** What a provider hands to the hooks and components below it. */

import type { Client } from "@vagus/client";
import { type Context, createContext, useContext } from "react";
import type { Announcements } from "./stores/announcements.js";
import type { Toasts } from "./stores/toasts.js";

/** The channels that hooks follow when none is named. */
export interface ChannelNames {
  readonly metrics: string;
  readonly dashboard: string;
  readonly activities: string;
  readonly alerts: string;
}

export interface Realtime {
  readonly client: Client;
  readonly channels: ChannelNames;
  readonly toasts: Toasts;
  readonly announcements: Announcements;
}

export const RealtimeContext: Context<Realtime | null> = createContext<Realtime | null>(null);

export function useProvided(): Realtime {
  const realtime = useContext(RealtimeContext);
  if (realtime === null) throw new Error("there is no <RealtimeProvider> above this component");
  return realtime;
}
