/** Following a channel: the general hook, on which the others stand. */

import type { DataOf, Message } from "@vagus/client";
import { use } from "react";
import { type ChannelNames, useProvided } from "../context.js";
import {
  type ChannelOptions,
  type ChannelState,
  type ChannelStore,
  channelStore,
} from "../stores/channel.js";
import { all, useTracked } from "./useSelected.js";

export interface Suspending {
  /**
   * Suspend until there is a first message. A channel that is refused, or a connection that is given up, is thrown to
   * the error boundary as a `ChannelError`.
   */
  readonly suspense?: boolean;
}

export interface UseChannelOptions extends ChannelOptions, Suspending {}

/** With `suspense: true` there is a message from the first render on. */
export type SuspendedChannel<T> = ChannelState<T> & { readonly latest: Message<T> };

/**
 * A channel's messages, the latest, how the subscription does, and who is there. The component renders when a part
 * that it reads has changed. All components that follow a channel share one subscription at the server.
 *
 * ```tsx
 * const { latest, status } = useChannel("orders:42", { throttle: 250 });
 * ```
 */
export function useChannel<C extends string>(
  channel: C,
  options: UseChannelOptions & { readonly suspense: true },
): SuspendedChannel<DataOf<C>>;
export function useChannel<C extends string>(
  channel: C,
  options?: UseChannelOptions,
): ChannelState<DataOf<C>>;
export function useChannel<C extends string>(
  channel: C,
  { suspense = false, ...options }: UseChannelOptions = {},
): ChannelState<DataOf<C>> {
  const store = useChannelStore<DataOf<C>>(channel, "metrics", options);
  const state = useTracked(store, all, store.client);
  useArrival(store, suspense);
  return state;
}

/** The store of a channel, or of the provider's for a purpose, shared by all who follow it in the same way. */
export function useChannelStore<T>(
  channel: string | undefined,
  purpose: keyof ChannelNames,
  options: ChannelOptions,
): ChannelStore<T> {
  const { client, channels } = useProvided();
  return channelStore(client, channel ?? channels[purpose], options);
}

/** Suspend until there is something to show. */
export function useArrival<T>(store: ChannelStore<T>, suspense: boolean): void {
  if (suspense) use(store.ready());
}
