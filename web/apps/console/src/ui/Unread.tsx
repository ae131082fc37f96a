/**
 * What could not be read, in the place where it would be. While the connection is away it says nothing: the strip over
 * the page does, once for all panels.
 */

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiError } from "../api.js";
import { useIsAway } from "../useIsAway.js";
import { Fault } from "./ErrorBoundary.js";

export interface UnreadProps {
  /** What it is, in words: "The sources could not be read." */
  readonly title: string;
  readonly query: Pick<UseQueryResult<unknown>, "error" | "isFetching" | "refetch">;
}

/** ```<Unread title="The sources could not be read." query={sources} />``` */
export function Unread({ title, query: { error, isFetching, refetch } }: UnreadProps): ReactNode {
  const isAway = useIsAway();
  if (error === null) return null;
  const isUnreached = error instanceof ApiError && error.status === 0;
  // Once the connection is back it is asked anew, and mostly read.
  if (isUnreached && (isAway || isFetching)) return null;
  return (
    <div className="pb-gap">
      <Fault title={title} error={error} retry={() => void refetch()} />
    </div>
  );
}
