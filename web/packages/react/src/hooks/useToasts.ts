/** Toasts of one's own. */

import { useProvided } from "../context.js";
import type { Toast, Toasts } from "../stores/toasts.js";
import { all, useSelected } from "./useSelected.js";

export interface UseToasts extends Pick<Toasts, "add" | "dismiss" | "clear"> {
  /** Oldest first. */
  readonly toasts: readonly Toast[];
}

/**
 * `<RealtimeToasts>` shows them.
 *
 * ```tsx
 * const { add } = useToasts();
 * add({ title: "Saved", severity: "success" });
 * ```
 */
export function useToasts(): UseToasts {
  const { all: store, ...actions } = useProvided().toasts;
  return { ...actions, toasts: useSelected(store, all) };
}
