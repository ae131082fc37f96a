/**
 * The toasts that are up: bounded, and alike ones are one with a count.
 *
 * A list and its rules; how long a toast stays is counted where it is shown, since a pointer or the focus on it stops
 * that.
 */

import { type Cell, cellOf } from "./cell.js";

export type Severity = "info" | "success" | "warning" | "error";

export interface ToastAction {
  readonly label: string;
  readonly run: () => void;
}

export interface ToastOptions {
  readonly title: string;
  readonly message?: string;
  readonly severity?: Severity;
  /** How long it stays, in milliseconds: 6000 by default, at least 20000 with an action; `Infinity` until dismissed. */
  readonly duration?: number;
  readonly action?: ToastAction | undefined;
  /** A toast takes the place of one with the same key. Alike ones have the same if none is given. */
  readonly key?: string;
}

export interface Toast extends Required<ToastOptions> {
  readonly id: number;
  /** How often it was added. */
  readonly count: number;
}

export interface Toasts {
  readonly all: Cell<readonly Toast[]>;
  /** Show one; the result dismisses it. Of more than fifty the oldest goes. */
  readonly add: (options: ToastOptions) => number;
  readonly dismiss: (id: number) => void;
  readonly clear: () => void;
}

const SHORTEST_MS = 6_000;
const WITH_ACTION_MS = 20_000;
const MOST = 50;
const LONGEST_TEXT = 500;

/** `added` is told of each, a repeated one too. */
export function newToasts(added: (toast: Toast) => void): Toasts {
  const all = cellOf<readonly Toast[]>([]);
  let ids = 0;
  return {
    all,
    add: ({ action, severity = "info", duration = SHORTEST_MS, ...options }) => {
      const title = options.title.slice(0, LONGEST_TEXT);
      const message = (options.message ?? "").slice(0, LONGEST_TEXT);
      const { key = JSON.stringify([severity, title, message]) } = options;
      const alike = all.get().find((toast) => toast.key === key);
      const isSame = alike?.title === title && alike.message === message;
      const toast: Toast = {
        id: alike?.id ?? ++ids,
        key,
        title,
        message,
        severity,
        duration: action ? Math.max(duration, WITH_ACTION_MS) : duration,
        action,
        count: isSame ? alike.count + 1 : 1,
      };
      all.set([...all.get().filter((other) => other !== alike), toast].slice(-MOST));
      added(toast);
      return toast.id;
    },
    dismiss: (id) => all.set(all.get().filter((toast) => toast.id !== id)),
    clear: () => all.set([]),
  };
}
