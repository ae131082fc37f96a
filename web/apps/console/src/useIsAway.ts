/** Whether the connection is away, and not only for a blink: one that is back at once is none of the reader's business. */

import { useRealtimeConnection } from "@vagus/react";
import { useEffect, useState } from "react";

const PATIENCE_MS = 1_500;

export function useIsAway(): boolean {
  const isThere = useRealtimeConnection(({ state }) => state === "connected" || state === "stale");
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (isThere) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isThere]);
  return isLong && !isThere;
}
