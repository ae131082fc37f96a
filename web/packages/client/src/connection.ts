/**
 * What the client needs of a connection, and no more: the seam between the client and whatever carries its messages.
 *
 * `hub.ts` speaks to the server itself; `tabs/` speaks to a worker that does. Everything that crosses this line
 * can be cloned, but for the functions of `ConnectionHandlers` and `ChannelHandlers`. A connection keeps itself alive (it
 * retries, and notices that it is dead); it does not queue: what it cannot send now is refused with `Refusal`.
 */

import type { Json, Member, Message, Position } from "./types.js";

/** Settings of a connection, defaults filled in. */
export interface ConnectionOptions {
  /** Where to connect, in the order in which it is tried. */
  readonly endpoints: readonly Endpoint[];
  /** Where transports that only read send their commands. */
  readonly emulation: string;
  readonly token: string;
  /** Whether `ConnectionHandlers.token` can be asked. */
  readonly fetchesToken: boolean;
  readonly data: Json;
  readonly name: string;
  readonly retry: RetrySettings;
  /** Whether a lost connection is made again without being asked. */
  readonly reconnects: boolean;
  /** For connecting, and for requests that name none, in milliseconds. */
  readonly timeout: number;
}

export interface Endpoint {
  readonly transport: "websocket" | "http_stream" | "sse";
  readonly endpoint: string;
}

export interface RetrySettings {
  readonly tries: number;
  readonly factor: number;
  readonly minDelay: number;
  readonly maxDelay: number;
}

export interface LinkStatus {
  readonly state: "connecting" | "connected" | "disconnected" | "error";
  readonly reason: string;
  readonly code: number;
  readonly attempt: number;
  readonly retryAt: number | null;
  readonly client: string;
  readonly transport: string;
}

export interface ConnectionHandlers {
  status(status: LinkStatus): void;
  /** Something for this user or connection alone. */
  message(data: unknown): void;
  /** A round trip was measured, in milliseconds. */
  latency(duration: number): void;
  /** Fetches the connection's token; rejects with `UnauthorizedError` if there will be none. */
  token(): Promise<string>;
}

/** How a channel is to be followed. */
export interface Wish {
  readonly recover: boolean;
  readonly since: Position | null;
  readonly tags: FilterNode | null;
  readonly delta: boolean;
  readonly joinLeave: boolean;
  readonly data: { readonly [key: string]: Json } | null;
  /** The most publications a second that are of use, of which the newest win; 0 wants all. */
  readonly rate: number;
  /** Whether `ChannelHandlers.token` must be asked. */
  readonly isPrivate: boolean;
}

/** A condition on tags, in the protocol's form: a branch has `op` and `nodes`, a leaf the others. */
export interface FilterNode {
  readonly op?: "and" | "or" | "not";
  readonly nodes?: readonly FilterNode[];
  readonly key?: string;
  readonly cmp?:
    | "eq"
    | "neq"
    | "in"
    | "nin"
    | "ex"
    | "nex"
    | "sw"
    | "ew"
    | "ct"
    | "lt"
    | "lte"
    | "gt"
    | "gte";
  readonly val?: string;
  readonly vals?: readonly string[];
}

export interface ChannelStatus {
  /** `unsubscribed` is final: refused, or ended by the server. */
  readonly state: "subscribing" | "subscribed" | "unsubscribed";
  readonly reason: string;
  readonly code: number;
  readonly recovered: boolean | null;
  /** Where the channel stood when it was subscribed to; `null` where there is no history. */
  readonly position: Position | null;
}

export interface ChannelHandlers {
  status(status: ChannelStatus): void;
  /** In the channel's order; after a recovery, publications that came before may come again. */
  publication(message: Message): void;
  join(member: Member): void;
  leave(member: Member): void;
  token(): Promise<string>;
}

export type Request =
  | { readonly kind: "rpc"; readonly method: string; readonly data: unknown }
  | { readonly kind: "send"; readonly data: unknown }
  | {
      readonly kind: "history";
      readonly channel: string;
      readonly limit: number;
      readonly since: Position | null;
      readonly reverse: boolean;
    }
  | { readonly kind: "presence"; readonly channel: string }
  | { readonly kind: "presenceStats"; readonly channel: string };

/** What `Connection.request` resolves with, by kind. */
export interface Answers {
  readonly rpc: unknown;
  readonly send: null;
  readonly history: Position & { readonly messages: readonly Message[] };
  readonly presence: readonly Member[];
  readonly presenceStats: { readonly clients: number; readonly users: number };
}

/** What `Connection.request` rejects with, a plain value. Codes below 100 are this side's own (`Local`). */
export interface Refusal {
  readonly code: number;
  readonly message: string;
  readonly temporary: boolean;
}

/** Why something failed in which the server had no part: numbers below those of `Codes`. */
export const Local = { timeout: 1, notConnected: 2, noToken: 3, unauthorized: 4, tooLarge: 5 } as const;

/** One channel, followed once. */
export interface Following {
  /** Follow it in another way from now on, without a gap where there is history. */
  change(wish: Wish): void;
  /** Nothing is handed over any more once this returns. */
  end(): void;
}

export interface Connection {
  /** Begin, if it has not begun. */
  connect(): void;
  /** Stay away until `connect` or `retry`. */
  disconnect(): void;
  /** Connect now, as if nothing had failed before. */
  retry(): void;
  /** Something happened after which the connection may be dead (the page was shown, the machine woke): find out soon. */
  check(): void;
  /** Whether a lost connection is made again without being asked. */
  setReconnects(reconnects: boolean): void;
  /** Follow a channel; at most once at a time for each. */
  follow(channel: string, wish: Wish, handlers: ChannelHandlers): Following;
  /** Ask now; rejects with a `Refusal`, at the latest after `timeout` milliseconds. */
  request<R extends Request>(request: R, timeout: number): Promise<Answers[R["kind"]]>;
  /** End it for good. No handler is called any more. */
  close(): void;
}

/** Makes a connection, which does nothing before `connect`. */
export type Connect = (options: ConnectionOptions, handlers: ConnectionHandlers) => Connection;
