/**
 * A few words on hover and on focus, in the top layer, beside what they are about.
 *
 * Escape takes them away and the pointer may rest on them (WCAG 1.4.13). Where the words are the control's name anyway,
 * they are not read out twice.
 */

import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { Kbd } from "./Kbd.js";

export interface TooltipProps {
  readonly label: string;
  readonly keys?: string | undefined;
  /** The words are what the control is called already. */
  readonly isName?: boolean;
  /** One control. */
  readonly children: ReactNode;
}

const DELAY_MS = 350;

export function Tooltip({ label, keys, isName = false, children }: TooltipProps): ReactNode {
  const id = useId();
  const anchor = `--tip-${id.replace(/\W/g, "")}`;
  const root = useRef<HTMLSpanElement>(null);
  const tip = useRef<HTMLSpanElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    const control = root.current?.firstElementChild;
    if (isName || !control) return;
    control.setAttribute("aria-describedby", id);
    return () => control.removeAttribute("aria-describedby");
  }, [isName, id]);
  useEffect(() => () => clearTimeout(timer.current), []);
  const show = (delay: number): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => tip.current?.showPopover(), delay);
  };
  const hide = (): void => {
    clearTimeout(timer.current);
    if (tip.current?.matches(":popover-open")) tip.current.hidePopover();
  };
  const hideOnEscape = (event: KeyboardEvent): void => {
    if (event.key === "Escape") hide();
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what bubbles up from the control
    <span
      ref={root}
      className="inline-flex"
      style={{ anchorName: anchor }}
      onPointerEnter={({ pointerType }) => pointerType !== "touch" && show(DELAY_MS)}
      onPointerLeave={hide}
      onFocus={({ target }) => target.matches(":focus-visible") && show(0)}
      onBlur={hide}
      onClick={hide}
      onKeyDown={hideOnEscape}
    >
      {children}
      <span
        ref={tip}
        id={id}
        role={isName ? undefined : "tooltip"}
        aria-hidden={isName || undefined}
        popover="manual"
        className="tip items-center gap-2 rounded-control border border-line-strong bg-raised px-2 py-1 text-xs whitespace-nowrap text-text shadow-float"
        style={{ positionAnchor: anchor }}
      >
        {label}
        {keys && <Kbd keys={keys} />}
      </span>
    </span>
  );
}
