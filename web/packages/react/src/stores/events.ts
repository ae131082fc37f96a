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
  const text = (name: string): string => {
    const value: unknown = Reflect.get(fields, name);
    return typeof value === "string" || typeof value === "number" ? String(value) : "";
  };
  const severity = SEVERITIES.find((known) => known === text("severity"));
  const value = text("value");
  const threshold = text("threshold");
  const unit = ` ${text("unit")}`.trimEnd();
  return {
    title: text("title") || text("event") || text("metric") || data.type,
    message: text("message") || (value && threshold && `${value}${unit}, threshold ${threshold}${unit}`),
    severity: severity ?? (/alert/i.test(data.type) ? "warning" : "info"),
  };
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
