/** How the page as a whole does, in words that say what to do. Rules only. */

import type { ConnectionStatus, SubscriptionStatus } from "@vagus/client";
import { durationText } from "../../charts/format.js";
import type { Pulse } from "./pulses.js";

export type Kind = "connected" | "connecting" | "disconnected" | "stale" | "paused" | "error";

export interface Condition {
  readonly kind: Kind;
  readonly title: string;
  readonly advice: string;
}

/** Without a pulse for so long, or for two intervals if those are longer, something is wrong. */
const SILENCE_MS = 600_000;

function isSilent(pulse: Pick<Pulse, "at" | "intervalSeconds" | "isPaused">, now: number): boolean {
  return !pulse.isPaused && now - pulse.at > Math.max(SILENCE_MS, pulse.intervalSeconds * 2_000);
}

export interface Circumstances {
  readonly connection: Pick<ConnectionStatus, "state" | "reason">;
  readonly subscription: Pick<SubscriptionStatus, "state" | "reason">;
  readonly newest: Pulse | undefined;
  /** When the page began to wait for its first pulse. */
  readonly since: number;
  readonly now: number;
}

export function conditionOf({ connection, subscription, newest, since, now }: Circumstances): Condition {
  switch (connection.state) {
    case "disconnected":
      return {
        kind: "disconnected",
        title: "Disconnected",
        advice: `${kept(newest)} Connect again in the status at the top.`,
      };
    case "error":
      return {
        kind: "error",
        title: "No connection",
        advice: `${sentence(connection.reason)} ${kept(newest)} Check that the server runs, then retry.`,
      };
    case "connecting":
      return {
        kind: "connecting",
        title: newest === undefined ? "Connecting" : "Reconnecting",
        advice: `${sentence(connection.reason)} ${kept(newest)}`.trim(),
      };
  }
  if (subscription.state === "unsubscribed") {
    return {
      kind: "error",
      title: "Pulses are refused",
      advice: `${sentence(subscription.reason)} Sign in as somebody with a role such as viewer.`,
    };
  }
  if (newest === undefined && now - since < SILENCE_MS) {
    return {
      kind: "connecting",
      title: "Waiting for the first pulse",
      advice: "It comes as soon as the sources have been read.",
    };
  }
  if (newest === undefined || isSilent(newest, now)) {
    const silence = durationText((now - (newest?.at ?? since)) / 1000);
    return {
      kind: "stale",
      title: "No data pulse - check backend",
      advice: `Nothing came for ${silence}. Look at the server's log and at its emitter below, or refresh.`,
    };
  }
  if (newest.isPaused) {
    return {
      kind: "paused",
      title: "The emitter is paused",
      advice:
        "An operator stopped the pulses for everybody. Resume them under Pace, or refresh for a single one.",
    };
  }
  const pace = `A pulse every ${durationText(newest.intervalSeconds)}.`;
  return { kind: "connected", title: "Live", advice: pace };
}

function kept(newest: Pulse | undefined): string {
  return newest === undefined ? "Nothing has come yet." : "What you see is the last that came.";
}

function sentence(text: string): string {
  if (text === "") return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
