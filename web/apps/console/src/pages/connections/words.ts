/** Figures of connections as people read them. */

import { bytesText } from "../../charts/format.js";
import type { WhenFull } from "./values.js";

export { shortId } from "../../charts/format.js";

const whole = new Intl.NumberFormat();
const fine = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** Of what has not been measured yet. */
const UNKNOWN = "–";

export const countText = (count: number): string => whole.format(count);

/** `1 client`, `2 clients`. */
export const countOf = (count: number, noun: string): string =>
  `${countText(count)} ${noun}${count === 1 ? "" : "s"}`;

export function rateText(perSecond: number | null): string {
  if (perSecond === null) return UNKNOWN;
  return `${(perSecond < 1_000 ? fine : short).format(perSecond)}/s`;
}

export function bytesRateText(perSecond: number | null): string {
  return perSecond === null ? UNKNOWN : `${bytesText(perSecond)}/s`;
}

export const percentText = (percent: number): string => `${fine.format(percent)} %`;

export const msText = (ms: number | null): string => (ms === null ? UNKNOWN : `${fine.format(ms)} ms`);

const DIALECTS: Readonly<Record<string, string>> = {
  "centrifuge-json": "Native JSON",
  "centrifuge-protobuf": "Native Protobuf",
  socketio: "Socket.IO",
  "signalr-json": "SignalR JSON",
  "signalr-messagepack": "SignalR MessagePack",
  eventsource: "EventSource",
};

export const DIALECT_NAMES: readonly string[] = Object.keys(DIALECTS);

export const dialectText = (name: string): string => DIALECTS[name] ?? name;

export const userText = (user: string): string => user || "anonymous";

/** A transport, where its name says more than that of the dialect. */
export const transportText = (dialect: string, transport: string): string =>
  transport === dialect ? "" : transport;

/** The roles of somebody; nothing where the user is called as the only one. */
export const rolesText = (user: string, roles: readonly string[]): string =>
  roles.length === 1 && roles[0] === user ? "" : roles.join(", ");

export interface Parting {
  /** Who is told the reason. */
  readonly reason: string;
  /** What the client's library does by itself. */
  readonly afterwards: string;
}

/** What a client of a dialect learns when it is disconnected; `""` stands for several, of whichever dialects. */
export function partingOf(dialect: string): Parting {
  const afterwards = "What the client's library does by itself.";
  switch (dialect) {
    case "":
      return {
        reason:
          "They are told, and so is the log. Socket.IO has no room for it: its clients are not told why.",
        afterwards: "What their client libraries do by themselves; with EventSource, the page decides.",
      };
    case "socketio":
      return {
        reason: "For the log: Socket.IO has no room for it, so the client is not told why.",
        afterwards,
      };
    case "eventsource":
      return {
        reason: "The page is told by an event named disconnect, and so is the log.",
        afterwards: "A browser comes back by itself unless the page closes its source when it is told.",
      };
    default:
      return { reason: "The client is told, and so is the log.", afterwards };
  }
}

const FATES: Readonly<Record<WhenFull, (channels: number) => string>> = {
  disconnect: () => "it is closed as slow (3008); it reconnects, and recovers where channels keep history",
  "drop-oldest": (channels) => `it loses the oldest messages of ${countOf(channels, "channel")} and stays`,
  "keep-latest": (channels) => `it gets only the newest message of ${countOf(channels, "channel")} and stays`,
};

/** What the server does with a slow client once its queue is full, the strictest first. */
export function fateText(whenFull: Readonly<Partial<Record<WhenFull, number>>>, queueLimit: number): string {
  const order = ["disconnect", "drop-oldest", "keep-latest"] as const;
  const fates = order.flatMap((rule) => {
    const channels = whenFull[rule] ?? 0;
    return channels > 0 ? [FATES[rule](channels)] : [];
  });
  const words = fates.length > 0 ? fates.join("; ") : FATES.disconnect(0);
  return `When ${bytesText(queueLimit)} wait: ${words}.`;
}
