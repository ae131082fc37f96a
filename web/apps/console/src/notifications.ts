/**
 * The toasts that were shown, kept after they are gone: bounded, newest first, with what is unread.
 *
 * Kept in memory alone and until sign-out, since what alerts say may not be for the next person at this machine.
 */

import { type Severity, type Toast, useToasts } from "@vagus/react";
import { useEffect } from "react";
import { session } from "./session.js";
import { cellOf, useStore } from "./store.js";

export interface Notification {
  readonly id: number;
  readonly title: string;
  readonly message: string;
  readonly severity: Severity;
  readonly at: number;
  /** How often it came while it was up. */
  readonly count: number;
  readonly isRead: boolean;
}

const MOST = 200;

const kept = cellOf<readonly Notification[]>([]);

export function useNotifications(): readonly Notification[] {
  return useStore(kept);
}

export function markAllRead(): void {
  if (kept.get().some(({ isRead }) => !isRead)) kept.set(kept.get().map((one) => ({ ...one, isRead: true })));
}

export function markRead(id: number): void {
  kept.set(kept.get().map((one) => (one.id === id ? { ...one, isRead: true } : one)));
}

export function clearNotifications(): void {
  kept.set([]);
}

/** Keep each toast that comes up. Once in the page. */
export function useKeeping(): void {
  const { toasts } = useToasts();
  useEffect(() => kept.set(withToasts(kept.get(), toasts, Date.now())), [toasts]);
}

/** The list with these toasts in it: one that came again, or says something else now, is new. */
export function withToasts(
  list: readonly Notification[],
  toasts: readonly Toast[],
  now: number,
): readonly Notification[] {
  const news = toasts.filter((toast) => {
    const before = list.find(({ id }) => id === toast.id);
    return before?.title !== toast.title || before.message !== toast.message || before.count !== toast.count;
  });
  if (news.length === 0) return list;
  const added = news.map(({ id, title, message, severity, count }) => ({
    id,
    title,
    message,
    severity,
    count,
    at: now,
    isRead: false,
  }));
  return [...added.reverse(), ...list.filter(({ id }) => !news.some((toast) => toast.id === id))].slice(
    0,
    MOST,
  );
}

session.subscribe(() => {
  if (session.get().state === "out") clearNotifications();
});
