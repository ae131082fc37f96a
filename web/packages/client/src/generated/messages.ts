/** Made by tools/write_types.py: change the source that it reads, not this file. */

import type { Envelope } from "../types.js";

/** How the platform as a whole is doing. */
export interface PlatformUpdate {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly status: "operational" | "degraded" | "outage" | "maintenance";
  readonly activeUsers: number;
  readonly activeSessions: number;
  readonly requestsPerMinute: number;
  /** Failed requests of all requests. */
  readonly errorRate: number;
  readonly message: string;
}

/** How many users there are. */
export interface UserCountUpdate {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly total: number;
  readonly online: number;
  readonly newToday: number;
}

/** A user was given a role, or lost it. */
export interface RoleAssignment {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly userId: string;
  readonly role: string;
  readonly change: "assigned" | "removed";
  /** Who did it. */
  readonly changedBy: string;
}

/** Something happened to the system: a deployment, a backup, a restart. */
export interface SystemEvent {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  /** Such as deployment. */
  readonly event: string;
  readonly severity: "info" | "success" | "warning" | "error";
  readonly message: string;
  /** What it happened to. */
  readonly source: string;
}

/** A user did something. */
export interface UserActivity {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly userId: string;
  /** Such as signed_in. */
  readonly action: string;
  /** What it was done to. */
  readonly resource: string;
  readonly detail: string;
}

/** A figure of an analysis is new. */
export interface AnalyticsUpdate {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly period: "hour" | "day" | "week" | "month" | "quarter" | "year" | null;
  /** Against the period before. */
  readonly changePercent: number | null;
}

/** What was generated (texts, images, reports, whatever the platform makes), and how well that went. */
export interface GenerationMetrics {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly pending: number;
  readonly averageMs: number;
  /** What is generated, if it is one kind alone. */
  readonly kind: string;
}

/** What was earned. */
export interface RevenueUpdate {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly amount: number;
  /** As ISO 4217 names it, such as EUR. */
  readonly currency: string;
  readonly period: "hour" | "day" | "week" | "month" | "quarter" | "year";
  readonly transactions: number;
  /** Against the period before. */
  readonly changePercent: number | null;
}

/** Somebody should look. */
export interface Alert {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly severity: "info" | "success" | "warning" | "error";
  readonly title: string;
  readonly message: string;
  /** What raised it. */
  readonly source: string;
}

/** A measured value crossed its threshold. */
export interface PerformanceAlert {
  /** Names this event. A repetition within minutes is dropped. */
  readonly id: string;
  /** Milliseconds since 1970; 0 for now. */
  readonly at: number;
  readonly metric: string;
  readonly value: number;
  readonly threshold: number;
  readonly unit: string;
  readonly severity: "warning" | "error";
  /** What was measured. */
  readonly source: string;
}

/** All nodes and how they do. One that is missing did not answer this time. */
export interface ConnectionsUpdate {
  readonly at: number;
  readonly intervalMs: number;
  readonly totals: HubTotals;
  readonly nodes: readonly NodeFigures[];
  readonly coverage: Coverage;
}

/** Sums over the nodes that answered: a user or a channel on two of them counts twice. */
export interface HubTotals {
  readonly clients: number;
  readonly users: number;
  readonly channels: number;
  readonly subscriptions: number;
  readonly messagesInPerSecond: number;
  readonly messagesOutPerSecond: number;
  readonly queueBytes: number;
  readonly slowClients: number;
  readonly closedSlow: number;
  readonly dropped: number;
}

/**
 * A node and how it does. Messages in are commands of clients, messages out deliveries of publications to
 * them;
 * they count from its start, as do `closed_slow` and `dropped`, while `slow_clients` are those of now.
 */
export interface NodeFigures {
  readonly id: string;
  readonly name: string;
  readonly version: string;
  readonly startedAt: number;
  readonly uptimeSeconds: number;
  readonly clients: number;
  readonly users: number;
  readonly channels: number;
  readonly subscriptions: number;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly loopLagMs: LoopLag;
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly messagesInPerSecond: number;
  readonly messagesOutPerSecond: number;
  readonly bytesIn: number;
  readonly queueBytes: number;
  readonly slowClients: number;
  readonly closedSlow: number;
  readonly dropped: number;
  readonly broker: "ok" | "failed" | "none";
  readonly brokerLagMs: number;
  readonly store: "ok" | "failed" | "none";
  readonly draining: boolean;
}

/** By how many milliseconds the event loop ran late, over the last ten seconds. */
export interface LoopLag {
  readonly median: number;
  readonly highest: number;
}

/** How many nodes are alive, and how many of them answered in time. */
export interface Coverage {
  readonly nodes: number;
  readonly answered: number;
}

/** A pulse: the snapshot as `GET /api/fusion/stream` answers it, and what it says of itself. */
export interface FusionUpdate {
  readonly ok: boolean;
  readonly data: Readonly<Record<string, unknown>>;
  readonly pulse: PulseMark;
}

/** What a pulse says of itself. `number` counts those of one emitter, from its start. */
export interface PulseMark {
  readonly number: number;
  readonly intervalSeconds: number;
  readonly collectMs: number;
  readonly sources: Readonly<Record<string, SourceMark>>;
  readonly paused: boolean;
}

/**
 * How one source did when a pulse was made. `as_of` is when its values were true, in milliseconds since 1970.
 */
export interface SourceMark {
  readonly status: "waiting" | "ok" | "stale" | "failed";
  readonly asOf: number;
  readonly error: string;
  readonly demo: boolean;
}

/** Publications in the order in which they are to be made. */
export interface PublicationBatch {
  readonly publications: readonly KeyedPublication[];
}

/** One publication of a call. `key` names it among those of its user in its channel. */
export interface KeyedPublication {
  readonly channel: string;
  readonly data?: unknown;
  readonly key?: string;
  readonly tags?: Readonly<Record<string, string>> | null;
}

/** One result for each publication, up to and including the first that failed for the moment. */
export interface PublicationResults {
  readonly results: readonly (PublicationMade | PublicationRefused)[];
}

/** Where a publication stands, by `epoch` and `offset`. `repeated`: one with its key was there already. */
export interface PublicationMade {
  readonly offset: number;
  readonly epoch: string;
  readonly repeated?: boolean;
}

/** Why a publication was not made. */
export interface PublicationRefused {
  readonly error: Fault;
}

/**
 * Why a command was refused. `temporary` tells the client that the same command may succeed later; `data` is
 * whatever an application adds, as JSON.
 */
export interface Fault {
  readonly code: number;
  readonly message: string;
  readonly temporary?: boolean;
  readonly data?: unknown;
}

/** What the apps of the server publish. */
export interface AppChannels {
  admins:
    | Envelope<"PlatformUpdate", PlatformUpdate>
    | Envelope<"UserCountUpdate", UserCountUpdate>
    | Envelope<"RoleAssignment", RoleAssignment>
    | Envelope<"SystemEvent", SystemEvent>;
  "user-activity": Envelope<"UserActivity", UserActivity>;
  analytics:
    | Envelope<"AnalyticsUpdate", AnalyticsUpdate>
    | Envelope<"GenerationMetrics", GenerationMetrics>
    | Envelope<"RevenueUpdate", RevenueUpdate>;
  alerts: Envelope<"Alert", Alert> | Envelope<"PerformanceAlert", PerformanceAlert>;
  connections: Envelope<"ConnectionsUpdate", ConnectionsUpdate>;
  fusion: Envelope<"fusionUpdate", FusionUpdate>;
}

/** The calls that the server and its apps answer. */
export interface AppCalls {
  /** Make publications in their order, each once however often its key is sent. */
  "vagus.publish": { request: PublicationBatch; result: PublicationResults };
  /** Have a pulse made now; at most one a second for each client. */
  fusionRefresh: { request: null; result: Readonly<Record<string, boolean>> };
}
