/**
 * Events as toasts: alerts, system events, news of a consensus or a decision. Known by their type and by the fields
 * that such events have; anything else is no toast.
 */

import type { Envelope } from "@vagus/client";
import type { Severity, ToastOptions } from "./toasts.js";

const TOLD = /alert|consensus|decision|system/i;
const SEVERITIES: readonly Severity[] = ["info", "success", "warning", "error"];

/** The toast for what was published or sent, or `undefined` if it is none of these events. */
export function toastOf(data: unknown): ToastOptions | undefined {
  if (!isEnvelope(data) || !TOLD.test(data.type)) return undefined;
  const fields: object = typeof data.payload === "object" && data.payload !== null ? data.payload : {};
  const text = (name: string): string => textOf(Reflect.get(fields, name));
  const severity = SEVERITIES.find((known) => known === text("severity"));
  return {
    title: text("title") || text("event") || text("metric") || data.type,
    message: text("message") || crossing(fields),
    severity: severity ?? (/alert/i.test(data.type) ? "warning" : "info"),
  };
}

/** Such as "93 %, threshold 90 %". */
function crossing(fields: object): string {
  if (!("value" in fields && "threshold" in fields)) return "";
  const unit = "unit" in fields ? ` ${textOf(fields.unit)}`.trimEnd() : "";
  return `${textOf(fields.value)}${unit}, threshold ${textOf(fields.threshold)}${unit}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

/** Whether published data is an event; what else it holds than a type is not checked. */
export function isEnvelope(data: unknown): data is Pick<Envelope, "type" | "payload"> & { at?: unknown } {
  return (
    typeof data === "object" &&
    data !== null &&
    "payload" in data &&
    "type" in data &&
    typeof data.type === "string" &&
    !(data.type in Object.prototype)
  );
}
