/**
 * One channel as the components of a page see it: the views of all that want it in the same way are one.
 *
 * A store is found by its channel and options while a component is being rendered, before anybody knows whether it
 * will be mounted. So it opens its subscription only when somebody listens, closes it a moment after the last one left,
 * and is forgotten if nobody comes.
 */

import {
  type Client,
  ClosedError,
  type Member,
  type Message,
  type Store,
  type SubscribeOptions,
  type Subscription,
  type SubscriptionStatus,
} from "@vagus/client";
import { cellOf, tell } from "./cell.js";
import { isEnvelope } from "./events.js";

export interface ChannelOptions extends SubscribeOptions {
  /**
   * Begin with so many of the channel's newest messages, where its history may be read. None by default. They have
   * the time of the event as `receivedAt`, or 0 if they do not tell one.
   */
  readonly history?: number;
}

export interface ChannelState<T = unknown> {
  /** The newest `keep` messages, oldest first. */
  readonly messages: readonly Message<T>[];
  readonly latest: Message<T> | undefined;
  readonly status: SubscriptionStatus;
  /** Who is there, if `members` was asked for. */
  readonly members: readonly Member[];
}

/** Handed messages in order; they are not new if they come from the history, or were there before the listener. */
type BatchListener<T> = (batch: readonly Message<T>[], isNew: boolean) => void;

export interface ChannelStore<T = unknown> extends Store<ChannelState<T>> {
  readonly client: Client;
  /** Be handed what is there already, and what comes. */
  listen(listener: BatchListener<T>): () => void;
  /**
   * Settles once there is a message, or a refusal for good. The channel is followed meanwhile, but not for ever: who
   * suspends says nothing when it gives up. After a while the promise resolves, and who still waits asks again.
   */
  ready(): Promise<void>;
}

/** A channel cannot be followed; thrown to the error boundary by hooks that suspend. */
export class ChannelError extends Error {
  override readonly name = "ChannelError";
  readonly channel: string;
  /** See `Codes` of the client. */
  readonly code: number;

  constructor(channel: string, { code, reason }: { readonly code: number; readonly reason: string }) {
    super(`${channel}: ${reason}`);
    this.channel = channel;
    this.code = code;
  }
}

const NOT_YET: SubscriptionStatus = {
  state: "subscribing",
  reason: "",
  code: 0,
  recovered: null,
  lastMessageAt: null,
  isStale: false,
};

const LINGER_MS = 1_000;
const SUSPENDED_MS = 30_000;

const stores = new WeakMap<Client, Map<string, unknown>>();

/** The store of a channel followed in this way; of several `getToken` the first one counts. */
export function channelStore<T>(client: Client, channel: string, options: ChannelOptions): ChannelStore<T> {
  const known = stores.get(client) ?? new Map<string, unknown>();
  stores.set(client, known);
  const key = JSON.stringify([channel, options, !options.getToken]);
  // What a channel carries is declared by whoever asks for it, here as in `client.subscribe`.
  const there = known.get(key) as ChannelStore<T> | undefined;
  if (there) return there;
  const made = newStore<T>(client, channel, options, (isKept) => {
    if (isKept) known.set(key, made);
    else if (known.get(key) === made) known.delete(key);
  });
  known.set(key, made);
  return made;
}

function newStore<T>(
  client: Client,
  channel: string,
  { history = 0, ...options }: ChannelOptions,
  note: (isOpen: boolean) => void,
): ChannelStore<T> {
  const keep = Math.max(1, options.keep ?? 100); // of nothing there would be no latest
  const listeners = new Set<BatchListener<T>>();
  let isOpen = false;
  let settling: Promise<void> | undefined;

  const change = (changes: Partial<ChannelState<T>>): void => cell.set({ ...cell.get(), ...changes });

  const deliver = (batch: readonly Message<T>[], isNew: boolean): void => {
    if (batch.length === 0) return;
    tell(listeners, batch, isNew);
    const messages = [...cell.get().messages, ...batch].slice(-keep);
    change({ messages, latest: messages.at(-1) });
  };

  const open = (): (() => void) => {
    let view: Subscription<T>;
    try {
      view = client.subscribe(channel, options) as Subscription<T>;
    } catch (error) {
      if (error instanceof ClosedError) return () => {}; // the last data stays; whoever closed it knows what comes
      throw error;
    }
    isOpen = true;
    note(true);
    const reading = new AbortController();
    /** What came while the history was being read; `undefined` once it need not be waited for. */
    let held: Message<T>[] | undefined = history > 0 ? [] : undefined;
    let isRead = history === 0;
    /** The last offset of the history: what comes up to it is known already. */
    let known = 0;

    const take = (batch: readonly Message<T>[]): void => {
      if (held !== undefined) {
        held = [...held, ...batch].slice(-keep);
        return;
      }
      const fresh = known === 0 ? batch : batch.filter(({ offset }) => offset > known);
      if (fresh.length > 0) known = 0;
      deliver(fresh, true);
    };
    const begin = (past: readonly Message<T>[]): void => {
      if (reading.signal.aborted) return;
      const meanwhile = held ?? [];
      held = undefined;
      known = past.at(-1)?.offset ?? 0;
      deliver(past, false);
      take(meanwhile);
    };
    const noteStatus = (): void => {
      const status = view.status.get();
      if (status.recovered === false) known = 0;
      // Read after the subscription has begun, so that nothing can lie between the two.
      if (status.state === "subscribed" && !isRead) {
        isRead = true;
        client.history(channel, { limit: history, reverse: true, signal: reading.signal }).then(
          ({ messages }) => begin((messages as readonly Message<T>[]).map(dated).reverse()),
          () => begin([]), // what has no history that may be read begins with what comes
        );
      }
      change({ status });
    };

    change({ messages: [], members: view.members.get() });
    view.listen(take);
    const ends = [
      view.status.subscribe(noteStatus),
      view.members.subscribe(() => change({ members: view.members.get() })),
    ];
    noteStatus();
    return () => {
      isOpen = false;
      note(false);
      reading.abort();
      for (const end of ends) end();
      view.close();
    };
  };

  const cell = cellOf<ChannelState<T>>(
    { messages: [], latest: undefined, status: NOT_YET, members: [] },
    open,
    LINGER_MS,
  );
  setTimeout(() => isOpen || note(false), LINGER_MS);

  const askAgain = (): void => {
    settling = undefined;
  };
  const settle = async (): Promise<void> => {
    await undefined; // no component may be told of anything while one is being rendered
    const ends: (() => void)[] = [];
    try {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          const { latest, status } = cell.get();
          const connection = client.status.get();
          if (latest) resolve();
          else if (status.state === "unsubscribed") reject(new ChannelError(channel, status));
          else if (connection.state === "error") reject(new ChannelError(channel, connection));
        };
        const lease = setTimeout(resolve, SUSPENDED_MS);
        ends.push(() => clearTimeout(lease), cell.subscribe(look), client.status.subscribe(look));
        look();
      });
      if (!cell.get().latest) askAgain();
    } catch (error) {
      setTimeout(askAgain, LINGER_MS); // React renders again before it hands an error to the boundary
      throw error;
    } finally {
      for (const end of ends) end();
    }
  };

  return {
    client,
    get: cell.get,
    subscribe: cell.subscribe,
    listen: (listener) => {
      const leave = cell.subscribe();
      const { messages } = cell.get();
      if (messages.length > 0) listener(messages, false);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        leave();
      };
    },
    ready: () => {
      settling ??= cell.get().latest ? DONE : settle();
      return settling;
    },
  };
}

/** React takes a promise with a status at once, where it would wait a turn for another that is resolved. */
const DONE = Object.assign(Promise.resolve(), { status: "fulfilled" });

/** It came now, but happened earlier; when, only an event tells. */
function dated<T>(message: Message<T>): Message<T> {
  const { data } = message;
  return { ...message, receivedAt: isEnvelope(data) && typeof data.at === "number" ? data.at : 0 };
}
