/// <reference lib="esnext.disposable" preserve="true" />

/**
 * The words of the client: what it is told, what it tells, and what its stores hold.
 *
 * Types alone; nothing here exists at run time. Times are milliseconds since 1970, durations are milliseconds.
 */

import type { AppCalls, AppChannels } from "./generated/messages.js";

/** Anything that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/**
 * Channels by name or pattern, and what is published there. Add your own:
 *
 * ```ts
 * declare module "@vagus/client" {
 *   interface Channels { [channel: `orders:${string}`]: Order }
 * }
 * ```
 */
export interface Channels extends AppChannels {}

/** Calls by name: `{ request, result }`. Add your own as with `Channels`. */
export interface Calls extends AppCalls {}

/** What is published to a channel, as far as it is declared. */
export type DataOf<C extends string> = C extends keyof Channels ? Channels[C] : unknown;

export type RequestOf<M extends string> = M extends keyof Calls ? Calls[M]["request"] : unknown;
export type ResultOf<M extends string> = M extends keyof Calls ? Calls[M]["result"] : unknown;

/** What a call takes besides its name: the request may be left out where `null` or nothing at all is one. */
export type CallArguments<M extends string, O = RequestOptions> =
  null extends RequestOf<M>
    ? [request?: RequestOf<M>, options?: O]
    : undefined extends RequestOf<M>
      ? [request?: RequestOf<M>, options?: O]
      : [request: RequestOf<M>, options?: O];

/** Something with a value that changes. `subscribe` tells that it changed, and returns what ends that. */
export interface Store<T> {
  get(): T;
  subscribe(listener: () => void): () => void;
}

/**
 * - `connecting`: the first connection, or a lost one, is being made; `retryAt` says when it is tried next;
 * - `connected`: all is well;
 * - `stale`: connected, but nothing came for `staleAfter`;
 * - `disconnected`: asked for, or not begun;
 * - `error`: given up, or refused for good; `retry()` tries again.
 */
export type ConnectionState = "connecting" | "connected" | "stale" | "disconnected" | "error";

export interface ConnectionStatus {
  readonly state: ConnectionState;
  /** What happened, in words for a person; empty while all is well. */
  readonly reason: string;
  /** The number of the closure or error behind it (see `Codes`); 0 if there is none. */
  readonly code: number;
  /** When the state began. */
  readonly since: number;
  /** Attempts since the last connection; 0 while connected. */
  readonly attempt: number;
  readonly retryAt: number | null;
  /** When a message came last; pings and answers are none. */
  readonly lastMessageAt: number | null;
  /** This connection's id, as presence shows it; empty while there is none. */
  readonly client: string;
  /** Such as `websocket`, `http_stream`, `sse` or `shared`; empty while there is none. */
  readonly transport: string;
}

export interface RetryOptions {
  /** Attempts after a loss before the state is `error`; `Infinity` for ever. 5 by default. */
  readonly tries?: number;
  /** By how much each delay grows. 2 by default. */
  readonly factor?: number;
  /** The first delay, 1000 by default; the first retry begins within twice of it. */
  readonly minDelay?: number;
  /** The longest delay, 30000 by default. */
  readonly maxDelay?: number;
}

export interface QueueOptions {
  /** Publications and events that may wait to be sent, connected or not; 1000 by default. */
  readonly size?: number;
  /** For one too many: `refuse` (a `QueueFullError`) or `drop-oldest` (whose promise is rejected). */
  readonly whenFull?: "refuse" | "drop-oldest";
}

export interface ClientOptions {
  /**
   * The server, such as `https://live.example.com`; a page's own by default. A `ws:` or `wss:` address with a path is
   * taken as it is, and then there are no other transports to fall back to.
   */
  readonly url?: string | URL;
  readonly token?: string;
  /** Fetches a token: for the first connection if there is no `token`, and before one expires. */
  readonly getToken?: () => Promise<string>;
  /** Handed to the server's application with the connection. */
  readonly data?: Json;
  /** What kind of client this is, as the server's lists show it. */
  readonly name?: string;
  readonly retry?: RetryOptions;
  readonly queue?: QueueOptions;
  /** After how long without a message `connected` becomes `stale`; never by default. */
  readonly staleAfter?: number;
  /**
   * How long a call, and any other request, may take, waiting for the connection included. 10000 by default. A request's
   * own `timeout` may be longer, up to an hour, over WebSocket.
   */
  readonly timeout?: number;
  /** In which order connections are tried; WebSocket, then HTTP streaming, then server-sent events. */
  readonly transports?: readonly ("websocket" | "http_stream" | "sse")[];
  /** Makes the worker through which tabs share one connection; see `@vagus/client/worker`. */
  readonly sharedWorker?: () => SharedWorker;
  /** Where preferences are kept: `localStorage` by default, where there is one. */
  readonly storage?: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  /** The WebSocket class, where there is none built in. */
  readonly webSocket?: unknown;
}

/** One publication. */
export interface Message<T = unknown> {
  readonly channel: string;
  readonly data: T;
  /** Its place in the channel's history; 0 where there is none. */
  readonly offset: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Who published it, if it was a client. */
  readonly publisher: Member | null;
  /** When it came here. */
  readonly receivedAt: number;
}

/** The events of Vagus' own apps all have this form. */
export interface Envelope<Type extends string = string, Payload = unknown> {
  readonly type: Type;
  readonly id: string;
  readonly at: number;
  readonly payload: Payload;
}

/** Somebody in a channel. */
export interface Member {
  readonly client: string;
  readonly user: string;
  readonly connInfo: unknown;
  readonly chanInfo: unknown;
}

/** A condition on the tags of publications, which the server checks: `["parity", "eq", "even"]`, `{ and: [...] }`. */
export type TagFilter =
  | readonly [key: string, operator: "eq" | "neq" | "starts_with" | "ends_with" | "contains", value: string]
  | readonly [key: string, operator: "gt" | "gte" | "lt" | "lte", value: string | number]
  | readonly [key: string, operator: "in" | "nin", values: readonly string[]]
  | readonly [key: string, operator: "exists" | "not_exists"]
  | { readonly and: readonly TagFilter[] }
  | { readonly or: readonly TagFilter[] }
  | { readonly not: TagFilter };

export interface SubscribeOptions {
  /**
   * How often listeners are told at most, 1000 by default; 0 tells of each message at once.
   */
  readonly throttle?: number;
  /**
   * What they are told then. `all`: every message since the last time, in one batch. `latest`: only the newest, and
   * where all who follow the channel here want that, the server sends no more than that.
   */
  readonly deliver?: "all" | "latest";
  /** Messages kept in `messages`, 100 by default. */
  readonly keep?: number;
  /** Recover what was missed while there was no connection, where the channel allows it. `true` by default. */
  readonly recover?: boolean;
  /** Begin after this position instead of with what comes next. */
  readonly since?: Position;
  readonly tags?: TagFilter;
  /** Ask for differences where the channel has them. */
  readonly delta?: boolean;
  /** Keep `members` up to date, where the channel tells who comes and goes. */
  readonly members?: boolean;
  /** Fetches the token that a private channel needs. */
  readonly getToken?: (channel: string) => Promise<string>;
  readonly data?: { readonly [key: string]: Json };
  /** After how long without a message `isStale` holds; never by default. */
  readonly staleAfter?: number;
}

export interface Position {
  readonly offset: number;
  readonly epoch: string;
}

export interface SubscriptionStatus {
  readonly state: "subscribing" | "subscribed" | "unsubscribed";
  readonly reason: string;
  readonly code: number;
  /** Whether all that was missed came: `false` says to load the state anew; `null` before it is known. */
  readonly recovered: boolean | null;
  readonly lastMessageAt: number | null;
  readonly isStale: boolean;
}

/** One consumer's view of a channel. Many views of one channel share one subscription at the server. */
export interface Subscription<T = unknown> {
  readonly channel: string;
  readonly status: Store<SubscriptionStatus>;
  /** The newest `keep` messages, oldest first; the same array until one comes. */
  readonly messages: Store<readonly Message<T>[]>;
  readonly latest: Store<Message<T> | undefined>;
  /** Who is there, if `members` was asked for. */
  readonly members: Store<readonly Member[]>;
  /** Be handed each batch, in order, without loss or repetition. Returns what ends it. */
  listen(listener: (batch: readonly Message<T>[]) => void): () => void;
  /** Ends when the view is closed; a slow loop misses nothing of the newest `keep`, older ones are counted dropped. */
  [Symbol.asyncIterator](): AsyncIterator<Message<T>>;
  publish(data: T, options?: PublishOptions): Promise<Receipt>;
  close(): void;
  [Symbol.dispose](): void;
}

export interface RequestOptions {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export interface PublishOptions extends RequestOptions {
  readonly tags?: Readonly<Record<string, string>>;
  /** Names this publication, so that it is made once however often it is sent. Made up if it is not given. */
  readonly key?: string;
}

export interface Receipt extends Position {
  /** Whether one with this key was there already. */
  readonly repeated: boolean;
}

export interface HistoryOptions extends RequestOptions {
  readonly limit?: number;
  readonly since?: Position;
  readonly reverse?: boolean;
}

export interface HistoryPage<T = unknown> extends Position {
  readonly messages: readonly Message<T>[];
}

export interface Figures {
  /** Messages that came in the last second, and in all. */
  readonly rate: number;
  readonly received: number;
  /** The last round trip and the average of the newest, in milliseconds; `null` before the first. */
  readonly latency: number | null;
  readonly averageLatency: number | null;
  /** Messages that nobody was shown: older than `keep`, or passed over by `latest`. */
  readonly dropped: number;
  /** Waiting for a connection. */
  readonly queued: number;
  /** Times that somebody was told, and times that throttling saved. */
  readonly told: number;
  readonly saved: number;
  /** Times that a screen was drawn, as `noteRender` was told. */
  readonly renders: number;
  readonly reconnections: number;
  readonly subscriptions: number;
  /** Messages held in buffers. */
  readonly held: number;
}

/** What a person chose; kept where `storage` says. */
export interface Preferences {
  readonly notifications: boolean;
  readonly autoReconnect: boolean;
  readonly animation: boolean;
  /** The least time between updates that a person sees, in milliseconds; 0 leaves it to each subscription. */
  readonly refreshEvery: number;
}

export interface PreferencesStore extends Store<Preferences> {
  set(changes: Partial<Preferences>): void;
  reset(): void;
}

export interface Client {
  readonly status: Store<ConnectionStatus>;
  /** Renewed once a second while somebody listens. */
  readonly figures: Store<Figures>;
  readonly preferences: PreferencesStore;
  /** The channels that are followed, each with how it does. */
  readonly subscriptions: Store<ReadonlyMap<string, SubscriptionStatus>>;
  connect(): void;
  disconnect(): void;
  /** Try again now, as if nothing had failed before. */
  retry(): void;
  /** Resolves when connected; rejects when given up, refused or aborted. */
  ready(options?: RequestOptions): Promise<void>;
  subscribe<C extends string>(channel: C, options?: SubscribeOptions): Subscription<DataOf<C>>;
  /**
   * Publish once, in the order of the calls. Without a connection it waits in the queue, for ever unless `timeout` or
   * `signal` say otherwise.
   */
  publish<C extends string>(channel: C, data: DataOf<C>, options?: PublishOptions): Promise<Receipt>;
  call<M extends string>(method: M, ...given: CallArguments<M>): Promise<ResultOf<M>>;
  /**
   * Send an event that nobody answers, in one order with what is published. Without a connection it waits in the queue;
   * it is lost if the connection dies just when it was sent.
   */
  send(type: string, payload?: Json): Promise<void>;
  history<C extends string>(channel: C, options?: HistoryOptions): Promise<HistoryPage<DataOf<C>>>;
  presence(channel: string, options?: RequestOptions): Promise<readonly Member[]>;
  presenceStats(channel: string, options?: RequestOptions): Promise<{ clients: number; users: number }>;
  /** Hear events that the server sends to this user or connection alone. */
  onMessage(listener: (data: unknown) => void): () => void;
  /** Note that a screen was drawn, or that a drawing was saved; for the figures. */
  noteRender(saved: boolean): void;
  close(): void;
  [Symbol.dispose](): void;
}
