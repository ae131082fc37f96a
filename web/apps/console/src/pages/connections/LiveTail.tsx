/**
 * What is published to a channel, newest first, for as long as this is shown. Who may not follow the channel reads why.
 *
 * A pause freezes the view; the newest messages that came meanwhile are there when it goes on.
 */

import type { Message } from "@vagus/client";
import { useChannel } from "@vagus/react";
import { Pause, Play } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../../ui/Button.js";
import { Mark } from "../../ui/Mark.js";

const KEPT = 50;
const TOLD_MS = 250;
const LONGEST = 2_000;

export function LiveTail({ channel }: { readonly channel: string }): ReactNode {
  const { messages, status } = useChannel<string>(channel, { keep: KEPT, throttle: TOLD_MS, recover: false });
  const [frozen, setFrozen] = useState<readonly Message[]>();
  if (status.state === "unsubscribed") {
    return (
      <p role="alert" className="flex items-center gap-2 text-sm">
        <Mark tone="bad" />
        You may not follow this channel: {status.reason}.
      </p>
    );
  }
  const shown = frozen ?? messages;
  const waiting = frozen ? messages.filter((message) => !frozen.includes(message)).length : 0;
  return (
    <div className="grid gap-2">
      <div className="flex items-center gap-2 text-xs text-muted">
        <Mark tone={frozen ? "paused" : status.state === "subscribed" ? "good" : "unknown"} />
        <span role="status">
          {frozen
            ? `Paused, ${waiting}${waiting === KEPT ? " or more" : ""} waiting`
            : status.state === "subscribed"
              ? "Live"
              : "Connecting"}
        </span>
        <Button
          size="small"
          variant="quiet"
          icon={frozen ? Play : Pause}
          className="ms-auto"
          onClick={() => setFrozen(frozen ? undefined : messages)}
        >
          {frozen ? "Go on" : "Pause"}
        </Button>
      </div>
      {shown.length === 0 && <p className="text-xs text-muted">Nothing has been published since.</p>}
      <ol className="grid gap-2">
        {[...shown].reverse().map((message) => (
          <li key={keyOf(message)} className="rounded-control border border-line bg-sunken p-2">
            <p className="flex gap-3 text-2xs text-muted">
              <time dateTime={new Date(message.receivedAt).toISOString()}>
                {new Date(message.receivedAt).toLocaleTimeString()}
              </time>
              {message.offset > 0 && <span>at {message.offset}</span>}
              {message.publisher && <span>by {message.publisher.user || "somebody"}</span>}
            </p>
            <pre className="mt-1 font-mono text-2xs break-all whitespace-pre-wrap">
              {textOf(message.data)}
            </pre>
          </li>
        ))}
      </ol>
    </div>
  );
}

const keys = new WeakMap<Message, number>();
let made = 0;

/** Messages of a channel without history have no number of their own. */
function keyOf(message: Message): number {
  const key = keys.get(message) ?? ++made;
  keys.set(message, key);
  return key;
}

function textOf(data: unknown): string {
  const text = JSON.stringify(data) ?? "";
  return text.length > LONGEST
    ? `${text.slice(0, LONGEST)} … (${text.length.toLocaleString()} characters)`
    : text;
}
