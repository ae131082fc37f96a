/** The frame of every page: its heading and tools above what it shows; and what stands there instead when it cannot. */

import { type ErrorComponentProps, Link } from "@tanstack/react-router";
import { RealtimeStatus } from "@vagus/react";
import { Compass, Minimize2 } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { IconButton } from "../ui/Button.js";
import { EmptyState } from "../ui/EmptyState.js";
import { Fault } from "../ui/ErrorBoundary.js";
import type { UnloadedProps } from "../ui/loaded.js";
import { Skeleton } from "../ui/Skeleton.js";
import { useWall } from "./wall.js";

export interface PageProps {
  readonly title: string;
  /** Beside the heading, such as the state of what is shown. */
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  readonly children?: ReactNode;
}

/** ```<Page title="Command centre" actions={<Button>Refresh</Button>}>…</Page>``` */
export function Page({ title, about, actions, children }: PageProps): ReactNode {
  const { isWall, leave } = useWall();
  useEffect(() => {
    document.title = `${title} · Vagus`;
  }, [title]);
  return (
    <div className="page grid content-start gap-gap">
      <div className="flex min-h-9 flex-wrap items-center gap-x-4 gap-y-2">
        <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
        {about}
        {isWall && (
          <div className="ms-auto flex items-center gap-3">
            <RealtimeStatus />
            <IconButton label="Leave the wall display" icon={Minimize2} keys="escape" onClick={leave} />
          </div>
        )}
        {actions && (
          <div className="page-actions ms-auto flex flex-wrap items-center gap-1.5 sm:gap-2 max-sm:[&>button]:px-2 max-sm:[&>span>button]:px-2">
            {actions}
          </div>
        )}
      </div>
      {children}
    </div>
  );
}

export function PagePending(): ReactNode {
  return (
    <div role="status" className="grid gap-gap">
      <span className="sr-only">Loading</span>
      <Skeleton className="h-9 w-48" />
      <div className="grid gap-gap sm:grid-cols-2 xl:grid-cols-4">
        <Skeleton className="h-32" />
        <Skeleton className="h-32" />
        <Skeleton className="h-32" />
        <Skeleton className="h-32" />
      </div>
      <Skeleton className="h-80" />
    </div>
  );
}

export function PageMissing(): ReactNode {
  return (
    <Page title="Not found">
      <EmptyState
        icon={Compass}
        title="There is no page at this address."
        action={
          <Link to="/" className="font-medium text-accent underline underline-offset-4">
            Go to the command centre
          </Link>
        }
      >
        <p>It may have been mistyped, or be of another version of Vagus.</p>
      </EmptyState>
    </Page>
  );
}

/** The others stay within reach, as does what they knew last. */
export function PageUnloaded({ error, retry }: UnloadedProps): ReactNode {
  return (
    <Page title="Something went wrong">
      <Fault title="This page could not be shown." error={error} retry={retry} />
    </Page>
  );
}

export function PageFault({ error }: ErrorComponentProps): ReactNode {
  return (
    <Page title="Something went wrong">
      <Fault title="This page could not be shown." error={error} retry={() => location.reload()} />
    </Page>
  );
}
