/**
 * A line over the page while there is no connection: what happened, how old what one sees is, and what to do.
 *
 * The data stays where it is. Screen readers hear of it from the provider, so this line says it to the eye alone.
 */

import { Age, useRealtime } from "@vagus/react";
import { RotateCw } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "../ui/Button.js";
import { Mark } from "../ui/Mark.js";

/** A connection that is back at once is none of the reader's business. */
const PATIENCE_MS = 1_500;

export function ConnectionStrip(): ReactNode {
  const { status, connect, retry } = useRealtime();
  const { state, reason, lastMessageAt } = status;
  const isThere = state === "connected" || state === "stale";
  const [isLong, setLong] = useState(false);
  useEffect(() => {
    if (isThere) return setLong(false);
    const timer = setTimeout(() => setLong(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isThere]);
  if (isThere || !isLong) return null;

  const isAsleep = state === "disconnected";
  return (
    <section
      aria-label="Connection"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-4 py-1.5 text-sm"
    >
      <Mark tone={state === "error" ? "bad" : "warn"} />
      <p className="font-medium">{isAsleep ? "Not connected" : "No connection to the server"}</p>
      <p className="text-muted">
        {lastMessageAt ? (
          <>
            What you see is what was known <Age at={lastMessageAt} />.
          </>
        ) : (
          reason || "Nothing came yet."
        )}
      </p>
      <Button size="small" icon={RotateCw} className="ms-auto" onClick={isAsleep ? connect : retry}>
        {isAsleep ? "Connect" : "Retry now"}
      </Button>
    </section>
  );
}
