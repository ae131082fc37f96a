/** Made by tools/write_types.py: change the source that it reads, not this file. */

/**
 * Every number that a client can be told: errors of a reply, endings of a subscription, closures of a connection. An
 * application may have more, from 400 to 1999 and from 4000 to 4999.
 */
export const Codes = {
  /**
   * Internal server error. A function of the application raised or took too long, keys could not be fetched,
   * or Vagus has a bug. The server's log says which.
   */
  INTERNAL: 100,
  /** Unauthorized. This version never sends it; it keeps its number. */
  UNAUTHORIZED: 101,
  /** Unknown channel. No channel rule matches the name, or a place's type does not fit it. */
  UNKNOWN_CHANNEL: 102,
  /**
   * Permission denied. The rule, a function or a scope says no; or a private channel was asked for without a
   * token.
   */
  PERMISSION_DENIED: 103,
  /** Method not found. No call of that name is registered. */
  METHOD_NOT_FOUND: 104,
  /**
   * Already subscribed. This connection follows the channel already, perhaps because the server subscribed
   * it.
   */
  ALREADY_SUBSCRIBED: 105,
  /** Limit exceeded. The client has `limits.channels` subscriptions. */
  LIMIT_EXCEEDED: 106,
  /** Bad request. The command makes no sense; the message often says what is wrong. */
  BAD_REQUEST: 107,
  /**
   * Not available. The channel's rule does not have it (history, presence), or it is a kind of subscription
   * that Vagus does not have (map, shared poll).
   */
  NOT_AVAILABLE: 108,
  /** Token expired. The token is past its time, or not valid yet. Client libraries ask for a new one. */
  TOKEN_EXPIRED: 109,
  /** Expired. This version never sends it; it keeps its number. */
  EXPIRED: 110,
  /** Too many requests. More commands than `limits.commands` or `limits.commands_per_user` allow. */
  TOO_MANY_REQUESTS: 111,
  /**
   * Unrecoverable position. What was missed is not all there any more, or the position names an epoch that is
   * over.
   */
  UNRECOVERABLE_POSITION: 112,
  /** Concurrent pagination. This version never sends it; it keeps its number. */
  CONCURRENT_PAGINATION: 113,
  /**
   * Temporarily unavailable. The broker (Redis, for instance) cannot do it now, and it may or may not have
   * done it. Ask again; a publication with an idempotency key is then made once.
   */
  UNAVAILABLE: 120,
  /** Server unsubscribe. The server unsubscribed the client: `hub.unsubscribe` or `/api/unsubscribe`. */
  UNSUBSCRIBED: 2000,
  /** Insufficient state. A publication was lost on its way to this node. The client recovers it. */
  INSUFFICIENT: 2500,
  /**
   * Subscription expired. The subscription's time is over and no new token came. The library asks for one.
   */
  SUBSCRIPTION_EXPIRED: 2501,
  /** State invalidated. This version never sends it; it keeps its number. */
  INVALIDATED: 2502,
  /** Connection closed. The client went, or its network did. Only hooks and metrics see this one. */
  CONNECTION_CLOSED: 3000,
  /** Shutdown. The server stops or restarts. */
  SHUTDOWN: 3001,
  /** Internal server error. This version never sends it; it keeps its number. */
  SERVER_ERROR: 3004,
  /** Connection expired. The connection's time is over and no new token came. */
  CONNECTION_EXPIRED: 3005,
  /** Subscription expired. A subscription that the server had made has expired. */
  CLOSED_BY_SUBSCRIPTION: 3006,
  /**
   * Slow. The client read too slowly and its queue was full. The connection is cut without a close frame,
   * since nothing gets through: the client sees 1006, hooks and metrics see this.
   */
  SLOW: 3008,
  /** Write error. This version never sends it; it keeps its number. */
  WRITE_ERROR: 3009,
  /**
   * Insufficient state. A publication of a subscription that the server had made was lost on its way here, or
   * a new token names other channels. The client recovers.
   */
  INSUFFICIENT_STATE: 3010,
  /** Force reconnect. This version never sends it; it keeps its number. */
  FORCE_RECONNECT: 3011,
  /**
   * No pong. The client did not answer a ping within `limits.pong_timeout_s`: its network is gone, or it
   * hangs.
   */
  NO_PONG: 3012,
  /** Too many requests. The client sent far more commands than can wait for an answer. */
  TOO_MANY: 3013,
  /** State invalidated. This version never sends it; it keeps its number. */
  STATE_INVALIDATED: 3014,
  /**
   * Invalid token. The token is not believed, or is another user's or channel's. `vagus token check` says
   * why.
   */
  INVALID_TOKEN: 3500,
  /** Bad request. The client broke the protocol, or connected without any token where one is needed. */
  MALFORMED: 3501,
  /** Stale. The client did not say who it is within `limits.stale_s`. */
  STALE: 3502,
  /** Force disconnect. The server closed it: `hub.disconnect` or `/api/disconnect`. */
  FORCE_DISCONNECT: 3503,
  /** Connection limit. A bound on connections of the node, the user or the address is reached. */
  CONNECTION_LIMIT: 3504,
  /**
   * Channel limit. The token or the application subscribes the client to more than `limits.channels`
   * channels.
   */
  CHANNEL_LIMIT: 3505,
  /** Inappropriate protocol. This version never sends it; it keeps its number. */
  INAPPROPRIATE_PROTOCOL: 3506,
  /** Permission denied. This version never sends it; it keeps its number. */
  CONNECTION_DENIED: 3507,
  /** Not available. This version never sends it; it keeps its number. */
  CONNECTION_NOT_AVAILABLE: 3508,
  /** Too many errors. This version never sends it; it keeps its number. */
  TOO_MANY_ERRORS: 3509,
} as const;

export type Code = (typeof Codes)[keyof typeof Codes];
