/**
 * What can be done from here: the command palette, the help overlay and the shortcuts all read this one list.
 *
 * Whoever shows something adds its actions while it is shown. An action that somebody's role does not allow is not
 * added at all; the server refuses it besides.
 */

import type { LucideIcon } from "lucide-react";
import { useEffect } from "react";
import { cellOf, useStore } from "./store.js";

export interface Action {
  /** The same for as long as it means the same: what was done recently is remembered by it. */
  readonly id: string;
  readonly title: string;
  /** Under which heading it stands, such as the page's name. */
  readonly group: string;
  readonly run: () => void;
  /**
   * Its shortcut: `mod+k` (Ctrl, or Cmd on a Mac), one key (`space`, `?`, `r`), or keys after each other (`g c`).
   */
  readonly keys?: string;
  /** A second one for the same. */
  readonly alsoKeys?: string;
  /** Other words by which it is found. */
  readonly words?: string;
  readonly icon?: LucideIcon;
  /** One of many alike, or one that is not to be done by mistake: it stands behind the others until it is looked for. */
  readonly isMinor?: boolean;
}

const all = cellOf<readonly Action[]>([]);

export const actions = { get: all.get, subscribe: all.subscribe };

function addActions(added: readonly Action[]): () => void {
  all.set([...all.get(), ...added]);
  return () => all.set(all.get().filter((action) => !added.includes(action)));
}

/**
 * Offer these while the component is there. Keep the list the same between renders (`useMemo`).
 *
 * ```tsx
 * useActions(useMemo(() => [{ id: "pause", title: "Pause", group: "Command centre", keys: "space", run: pause }], [pause]));
 * ```
 */
export function useActions(offered: readonly Action[]): void {
  useEffect(() => addActions(offered), [offered]);
}

export function useAllActions(): readonly Action[] {
  return useStore(actions);
}
