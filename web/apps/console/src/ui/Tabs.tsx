/** Views of one thing, one at a time. Arrow keys, Home and End move; the view that is shown is chosen at once. */

import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { classes } from "./classes.js";

export interface TabsProps<Id extends string> {
  /** What the tabs are views of, in words. */
  readonly label: string;
  readonly tabs: readonly { readonly id: Id; readonly label: string; readonly count?: number }[];
  readonly value: Id;
  readonly onChange: (id: Id) => void;
  /** The view of the tab that is chosen. */
  readonly children: ReactNode;
}

export function Tabs<Id extends string>({
  label,
  tabs,
  value,
  onChange,
  children,
}: TabsProps<Id>): ReactNode {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const widths = tabs.map(({ count }) => String(count ?? "").length).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: with other widths it is elsewhere
  useEffect(() => {
    const chosen = list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(value)}"]`);
    // Where not all have room, the chosen one is in sight. The page itself stays where it is.
    if (chosen) list.current?.scrollTo({ left: chosen.offsetLeft - chosen.offsetWidth });
  }, [value, widths]);
  const move = (event: KeyboardEvent): void => {
    const here = tabs.findIndex((tab) => tab.id === value);
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = to === undefined ? undefined : tabs.at(to % tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    onChange(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <>
      <div
        ref={list}
        role="tablist"
        aria-label={label}
        className="relative flex gap-1 overflow-x-auto border-b border-line"
        onKeyDown={move}
      >
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            data-tab={tab.id}
            aria-selected={tab.id === value}
            aria-controls={`${id}-view`}
            tabIndex={tab.id === value ? 0 : -1}
            onClick={() => onChange(tab.id)}
            className={classes(
              "-mb-px flex h-10 items-center gap-2 border-b-2 px-3 text-sm font-medium whitespace-nowrap outline-offset-[-2px]",
              tab.id === value ? "border-text text-text" : "border-transparent text-muted hover:text-text",
            )}
          >
            {tab.label}
            {tab.count !== undefined && (
              <span className="rounded-full bg-hover px-1.5 text-2xs text-muted">
                {tab.count.toLocaleString()}
              </span>
            )}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-view`} aria-labelledby={`${id}-${value}`}>
        {children}
      </div>
    </>
  );
}
