/**
 * A line over the page while there is no connection: what happened, how old what one sees is, and what to do.
 *
 * The data stays where it is. Screen readers hear of it from the provider, so this line says it to the eye alone.
 */

import type { ConnectionState } from "@vagus/client";
import { Age, useRealtime } from "@vagus/react";
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../ui/Button.js";
import { Mark } from "../ui/Mark.js";
import { useIsAway } from "../useIsAway.js";

/** The words of the mark in the bar, which is the same to the eye. */
const TITLES: Readonly<Record<ConnectionState, string>> = {
  connected: "Connected",
  stale: "No new data",
  connecting: "Connecting to the server",
  disconnected: "Disconnected from the server",
  error: "No connection to the server",
};

export function ConnectionStrip(): ReactNode {
  const { status, connect, retry } = useRealtime();
  const { state, reason, lastMessageAt } = status;
  if (!useIsAway()) return null;

  const isAsleep = state === "disconnected";
  const isError = state === "error";
  return (
    <section
      aria-label="Connection"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-surface px-4 py-1.5 text-sm lg:px-6"
    >
      <Mark tone={isError ? "bad" : "warn"} />
      <p className="font-medium">{TITLES[state]}</p>
      <p className="min-w-0 text-muted">
        {(isError || !lastMessageAt) && `${reason} `}
        {isError && "Check that the server runs, then retry. "}
        {state === "connecting" && lastMessageAt && "There is no answer yet. "}
        {lastMessageAt ? (
          <>
            What you see is what was known <Age at={lastMessageAt} />.
          </>
        ) : (
          "Nothing has come yet."
        )}
      </p>
      <Button size="small" icon={RotateCw} className="ms-auto" onClick={isAsleep ? connect : retry}>
        {isAsleep ? "Connect" : "Retry now"}
      </Button>
    </section>
  );
}
