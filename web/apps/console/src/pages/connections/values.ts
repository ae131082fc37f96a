/** What the server tells of its nodes, clients and channels, as `/api/connections` answers. Times are milliseconds. */

import type { ConnectionsUpdate, Coverage, NodeFigures } from "@vagus/client";

export type { Coverage };
export type Node = NodeFigures;

/** All nodes at one moment: an answer of `/nodes`, and what the channel `connections` carries. */
export type Look = Pick<ConnectionsUpdate, "at" | "nodes" | "totals" | "coverage">;

/** One connection. Rates are null until it has been looked at twice. */
export interface Connected {
  readonly id: string;
  readonly node: string;
  /** Empty for somebody unknown. */
  readonly user: string;
  readonly roles: readonly string[];
  readonly dialect: string;
  readonly transport: string;
  readonly section: string;
  readonly address: string;
  readonly connectedAt: number;
  readonly channels: number;
  readonly firstChannels: readonly string[];
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly messagesInPerSecond: number | null;
  readonly messagesOutPerSecond: number | null;
  readonly bytesInPerSecond: number | null;
  readonly bytesOutPerSecond: number | null;
  readonly queueBytes: number;
  readonly slow: boolean;
}

export interface ClientsPage {
  readonly clients: readonly Connected[];
  readonly total: number;
  readonly cursor: string | null;
  readonly coverage: Coverage;
}

export interface Position {
  readonly offset: number;
  readonly epoch: string;
}

export type WhenFull = "disconnect" | "drop-oldest" | "keep-latest";

export interface Followed {
  readonly channel: string;
  readonly rule: string;
  readonly byServer: boolean;
  readonly position: Position | null;
  readonly recoverable: boolean;
  readonly maxPerSecond: number | null;
  readonly deltas: boolean;
  readonly filtered: boolean;
  readonly whenFull: WhenFull;
}

export interface ClientDetails {
  readonly client: Connected;
  readonly agent: string;
  readonly expiresAt: number | null;
  readonly queueLimit: number;
  readonly pausedMs: number | null;
  readonly subscriptions: readonly Followed[];
}

export interface Channel {
  readonly name: string;
  readonly rule: string;
  readonly subscribers: number;
  readonly nodes: number;
  readonly publications: number;
  readonly publicationsPerSecond: number | null;
  readonly history: { readonly size: number; readonly ttlSeconds: number } | null;
  readonly position: Position | null;
}

export interface ChannelsAnswer {
  readonly channels: readonly Channel[];
  readonly total: number;
  /** Whether all nodes could tell of all that match. */
  readonly whole: boolean;
  readonly coverage: Coverage;
}

export interface Slow {
  readonly client: Connected;
  readonly queueLimit: number;
  readonly pausedMs: number | null;
  /** How many of its channels say what becomes of it. */
  readonly whenFull: Readonly<Partial<Record<WhenFull, number>>>;
}

export interface SlowAnswer {
  readonly clients: readonly Slow[];
  readonly total: number;
  readonly closedSlow: number;
  readonly dropped: number;
  readonly coverage: Coverage;
}
