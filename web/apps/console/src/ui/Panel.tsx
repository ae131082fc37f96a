/**
 * The frames of the page: a card, and a panel, which is a card with a title, actions, and how old its newest datum is.
 *
 * What goes wrong inside a panel stays in it: the others go on.
 */

import { Age, ConnectionDot } from "@vagus/react";
import { type ReactNode, useId } from "react";
import { classes } from "./classes.js";
import { ErrorBoundary } from "./ErrorBoundary.js";

export interface CardProps {
  readonly children?: ReactNode;
  readonly className?: string;
}

export function Card({ children, className }: CardProps): ReactNode {
  return (
    <div className={classes("rounded-card border border-line bg-surface p-pad", className)}>{children}</div>
  );
}

export interface PanelProps extends CardProps {
  readonly title: ReactNode;
  /** Stands beside the title, such as a count. */
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** When its newest datum came; `null` if there is none yet. Left out where nothing in it changes by itself. */
  readonly at?: number | null;
  /** The channel that it shows, for its dot. */
  readonly channel?: string;
  /** Without padding: for tables and charts that reach the edges. */
  readonly flush?: boolean;
  /** 2 by default. */
  readonly level?: 2 | 3;
}

/** ```<Panel title="Sources" channel="fusion" at={receivedAt} actions={<Button>Add</Button>}>…</Panel>``` */
export function Panel({
  title,
  about,
  actions,
  at,
  channel,
  flush = false,
  level = 2,
  className,
  children,
}: PanelProps): ReactNode {
  const id = useId();
  const Heading = level === 2 ? "h2" : "h3";
  return (
    <section
      aria-labelledby={id}
      className={classes("flex min-w-0 flex-col rounded-card border border-line bg-surface", className)}
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 px-pad py-1.5">
        <Heading id={id} className="flex items-center gap-2 text-sm font-semibold">
          {title}
        </Heading>
        {about && <span className="text-xs text-muted">{about}</span>}
        <span className="ms-auto flex items-center gap-2 text-xs text-muted">
          {at !== undefined && <Age at={at} none="no data yet" />}
          {channel && <ConnectionDot channel={channel} />}
        </span>
        {actions && <div className="flex items-center gap-1.5">{actions}</div>}
      </header>
      <div
        className={classes(
          "min-h-0 min-w-0 flex-1",
          flush ? "overflow-hidden rounded-b-card" : "px-pad pb-pad",
        )}
      >
        <ErrorBoundary>{children}</ErrorBoundary>
      </div>
    </section>
  );
}
