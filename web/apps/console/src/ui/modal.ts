/**
 * The modal dialogs that are open, the topmost last. Everything outside of it is inert, so that what has to be seen and
 * pressed whatever is open, as toasts are, goes into it.
 */

import { type RefObject, useEffect } from "react";
import { cellOf, useStore } from "../store.js";

const open = cellOf<readonly HTMLDialogElement[]>([]);

/** Show a dialog as long as the component is there; then the focus goes back to where it was. */
export function useModal(dialog: RefObject<HTMLDialogElement | null>): void {
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element === null) return;
    element.showModal();
    open.set([...open.get(), element]);
    return () => {
      open.set(open.get().filter((other) => other !== element));
      element.close();
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, [dialog]);
}

export function useTopmost(): HTMLDialogElement | undefined {
  return useStore(open).at(-1);
}
