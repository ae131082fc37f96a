/** How a node does, in a word and a sentence that says what it means. Rules alone. */

import type { Tone } from "../../ui/Mark.js";
import type { Node } from "./values.js";

export interface Condition {
  readonly tone: Tone;
  readonly word: string;
  /** Empty while all is well. */
  readonly meaning: string;
}

/** From here on people notice: the loop serves everybody, one after the other. */
const LATE_MS = 250;
const BUSY_PERCENT = 85;

export function conditionOf(node: Node, isAway = false): Condition {
  if (isAway)
    return {
      tone: "unknown",
      word: "No answer",
      meaning: "It did not answer this time; figures are its last ones.",
    };
  if (node.broker === "failed") {
    return {
      tone: "bad",
      word: "Broker away",
      meaning: "What is published elsewhere does not come here. Is Redis running?",
    };
  }
  if (node.store === "failed") {
    return {
      tone: "bad",
      word: "Store away",
      meaning: "Nothing can be kept or signed in. Look at the database.",
    };
  }
  if (node.draining)
    return {
      tone: "paused",
      word: "Draining",
      meaning: "It is stopping, and lets its clients go one by one.",
    };
  if (node.loopLagMs.highest >= LATE_MS) {
    return {
      tone: "warn",
      word: "Late",
      meaning: "Something held the event loop up: everybody on this node waited that long.",
    };
  }
  if (node.cpuPercent >= BUSY_PERCENT) {
    return { tone: "warn", word: "Busy", meaning: "Its core is nearly full. Add a worker or a node." };
  }
  return { tone: "good", word: "Healthy", meaning: "" };
}
