/**
 * What a tab and the worker say to each other over their port: values alone, all of which can be cloned.
 *
 * A tab says one thing at a time, the worker what gathered, as a list; the tab answers each list with `taken`. What is
 * said of a channel carries the number that the tab gave when it began to follow it.
 */

import type {
  Answers,
  ChannelStatus,
  ConnectionOptions,
  LinkStatus,
  Refusal,
  Request,
  Wish,
} from "../connection.js";
import type { Member, Message } from "../types.js";

/** Goes up with every change of these messages: a worker that runs since before a deployment may be older than a tab. */
export const VERSION = 1;

export type FromTab =
  | { readonly kind: "hello"; readonly version: number; readonly options: ConnectionOptions }
  /** It holds the lock of this name for as long as it lives. */
  | { readonly kind: "alive"; readonly lock: string }
  | { readonly kind: "retry" | "check" | "bye" }
  | { readonly kind: "reconnects"; readonly reconnects: boolean }
  | { readonly kind: "follow"; readonly id: number; readonly channel: string; readonly wish: Wish }
  | { readonly kind: "change"; readonly id: number; readonly wish: Wish }
  | { readonly kind: "end"; readonly id: number }
  | { readonly kind: "request"; readonly id: number; readonly request: Request; readonly timeout: number }
  | { readonly kind: "answer"; readonly id: number; readonly token: TokenAnswer }
  | { readonly kind: "taken"; readonly count: number };

/** A token, or what `getToken` threw, as far as it tells whether there will be one. */
export type TokenAnswer = { readonly token: string } | { readonly error: TokenError };

export interface TokenError {
  readonly name: string;
  readonly message: string;
  readonly status: number;
}

export type FromWorker =
  | { readonly kind: "welcome" | "ping" | "gone" }
  | { readonly kind: "alive"; readonly lock: string }
  | { readonly kind: "status"; readonly status: LinkStatus }
  | { readonly kind: "message"; readonly data: unknown }
  | { readonly kind: "latency"; readonly duration: number }
  | { readonly kind: "channelStatus"; readonly id: number; readonly status: ChannelStatus }
  | { readonly kind: "publication"; readonly id: number; readonly message: Message }
  | { readonly kind: "join" | "leave"; readonly id: number; readonly member: Member }
  | { readonly kind: "result"; readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly kind: "refused"; readonly id: number; readonly refusal: Refusal }
  /** Fetch a token: the connection's, or that of the channel followed by this number. */
  | { readonly kind: "token"; readonly id: number; readonly following: number | null };
