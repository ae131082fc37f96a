/** How the pulses do, in words that say what to do. Rules only; the strip over the page tells of the connection. */

import type { SubscriptionStatus } from "@vagus/client";
import { durationText, timeText } from "../../charts/format.js";
import type { Pulse } from "./pulses.js";

export type Kind = "connected" | "failing" | "connecting" | "away" | "stale" | "paused" | "error";

export interface Condition {
  readonly kind: Kind;
  readonly title: string;
  readonly advice: string;
}

/** Without a pulse for so long, or for two intervals if those are longer, something is wrong. */
const SILENCE_MS = 600_000;

function isSilent(newest: Pulse, { intervalSeconds, paused }: Pace, now: number): boolean {
  return !paused && now - newest.at > Math.max(SILENCE_MS, intervalSeconds * 2_000);
}

export interface Pace {
  readonly intervalSeconds: number;
  readonly paused: boolean;
}

export interface Circumstances {
  /** There is no connection. */
  readonly isAway: boolean;
  readonly subscription: Pick<SubscriptionStatus, "state" | "reason">;
  readonly newest: Pulse | undefined;
  /** What the emitter says of itself, which may have changed since the newest pulse. */
  readonly pace: Pace | undefined;
  /** When the page began to wait for its first pulse. */
  readonly since: number;
  readonly now: number;
}

export function conditionOf(circumstances: Circumstances): Condition {
  const { isAway, subscription, newest, since, now } = circumstances;
  if (isAway && newest !== undefined) {
    return { kind: "away", title: "No pulses for now", advice: `The last came at ${timeText(newest.at)}.` };
  }
  if (subscription.state === "unsubscribed") {
    return {
      kind: "error",
      title: "Pulses are refused",
      advice: `${sentence(subscription.reason)} Sign in as somebody with a role such as viewer.`,
    };
  }
  if (newest === undefined && (isAway || now - since < SILENCE_MS)) {
    return {
      kind: "connecting",
      title: "Waiting for the first pulse",
      advice: "It comes as soon as the sources have been read.",
    };
  }
  const pace = circumstances.pace ?? newest;
  if (newest === undefined || pace === undefined || isSilent(newest, pace, now)) {
    const silence = durationText((now - (newest?.at ?? since)) / 1000);
    return {
      kind: "stale",
      title: "No data pulse - check backend",
      advice: `Nothing came for ${silence}. Look at the server's log and at its emitter below, or refresh.`,
    };
  }
  if (pace.paused) {
    return {
      kind: "paused",
      title: "Pulses are paused for everybody",
      advice: `The last came at ${timeText(newest.at)}. Refresh for a single one, or go on.`,
    };
  }
  const advice = `A pulse every ${durationText(pace.intervalSeconds)}.`;
  const failing = Object.values(newest.sources).filter(({ status }) => status === "failed").length;
  if (failing > 0) {
    const title = `Live, but ${failing.toLocaleString()} source${failing === 1 ? " fails" : "s fail"}`;
    return { kind: "failing", title, advice: `${advice} What is wrong is said at the source.` };
  }
  return { kind: "connected", title: "Live", advice };
}

function sentence(text: string): string {
  if (text === "") return "";
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
