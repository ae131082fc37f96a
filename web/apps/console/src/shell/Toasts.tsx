/**
 * Toasts over everything, an open dialog included: they stand in the topmost one, since what is outside of it can be
 * neither seen above it, nor pressed, nor heard.
 *
 * What holds them is moved and never made anew, so that their time and their channels go on.
 */

import { RealtimeToasts } from "@vagus/react";
import { type ReactNode, useLayoutEffect, useState } from "react";
import { createPortal } from "react-dom";
import { useTopmost } from "../ui/modal.js";

export function Toasts({ channels }: { readonly channels: readonly string[] }): ReactNode {
  const [holder] = useState(newHolder);
  const topmost = useTopmost();
  useLayoutEffect(() => {
    (topmost ?? document.body).append(holder);
    return () => holder.remove();
  }, [topmost, holder]);
  return createPortal(<RealtimeToasts channels={channels} />, holder);
}

/** Escape on a toast dismisses that, and not the dialog that it stands in. */
function newHolder(): HTMLElement {
  const holder = document.createElement("div");
  holder.addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.preventDefault();
  });
  return holder;
}
