/** Clients that do not read as fast as they are sent to: how far behind each is, and what the server will do. */

import { Gauge as GaugeIcon, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { bytesText, durationText } from "../../charts/format.js";
import { Badge } from "../../ui/Badge.js";
import { Button } from "../../ui/Button.js";
import { EmptyState } from "../../ui/EmptyState.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Panel } from "../../ui/Panel.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { useSlow } from "./asking.js";
import { useControl } from "./control.js";
import { Overdue, Uncovered } from "./parts.js";
import type { Slow } from "./values.js";
import { countOf, countText, dialectText, fateText, shortId, transportText, userText } from "./words.js";

export function SlowView(): ReactNode {
  const { isPaused } = useControl();
  const { data, error, isPending, dataUpdatedAt, refetch } = useSlow(isPaused);
  const hidden = data ? data.total - data.clients.length : 0;
  return (
    <Panel
      title="Slow clients"
      about={
        data &&
        `${countText(data.closedSlow)} closed, ${countOf(data.dropped, "message")} dropped since the nodes began`
      }
      at={dataUpdatedAt || null}
      flush
      className="mt-gap"
    >
      <Uncovered coverage={data?.coverage} />
      {data && <Overdue error={error} />}
      {error && !data ? (
        <Fault title="The slow clients could not be read." error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Skeleton className="m-4 h-40 w-auto" />
      ) : data.clients.length === 0 ? (
        <EmptyState icon={GaugeIcon} title="Everybody keeps up.">
          <p>
            A client is slow while its network takes less than it is sent. Up to its queue's limit the server
            keeps what is due; then the rules of its channels decide: it is closed and recovers later, or
            loses messages and stays.
          </p>
        </EmptyState>
      ) : (
        <ul>
          {data.clients.map((slow) => (
            <SlowRow key={slow.client.id} slow={slow} />
          ))}
        </ul>
      )}
      {hidden > 0 && (
        <p className="border-t border-line px-pad py-2 text-xs text-muted">
          {countText(hidden)} more, with less waiting.
        </p>
      )}
    </Panel>
  );
}

function SlowRow({ slow: { client, queueLimit, pausedMs, whenFull } }: { readonly slow: Slow }): ReactNode {
  const { show, askToDisconnect, mayDisconnect } = useControl();
  const { id, user, dialect, queueBytes } = client;
  const filled = Math.min(1, queueBytes / queueLimit);
  return (
    <li className="grid gap-x-6 gap-y-2 border-t border-line px-pad py-3 md:grid-cols-[minmax(10rem,1fr)_minmax(10rem,1fr)_2fr_auto] md:items-center">
      <div className="min-w-0">
        <p className="flex items-center gap-2 text-sm font-medium">
          <span className="truncate">{userText(user)}</span>
          <Badge tone={filled > 0.8 ? "bad" : "warn"}>{filled > 0.8 ? "nearly full" : "slow"}</Badge>
        </p>
        <p className="truncate text-xs text-muted">
          {shortId(id)}, {dialectText(dialect)} {transportText(dialect, client.transport)}
        </p>
      </div>
      <div className="min-w-0">
        <meter
          aria-label={`Queue of ${userText(user)}`}
          className="h-2 w-full"
          min={0}
          max={queueLimit}
          high={0.8 * queueLimit}
          value={queueBytes}
        />
        <p className="text-xs text-muted">
          {bytesText(queueBytes)} of {bytesText(queueLimit)}
          {pausedMs !== null && `, for ${durationText(pausedMs / 1_000)}`}
        </p>
      </div>
      <p className="text-xs">{fateText(whenFull, queueLimit)}</p>
      <div className="flex gap-2">
        <Button size="small" onClick={() => show({ view: "clients", slow: 1, open: id })}>
          Details
        </Button>
        <Button
          size="small"
          variant="danger"
          icon={Unplug}
          blocked={!mayDisconnect && "Only admins disconnect others."}
          onClick={() => askToDisconnect({ client: id, user, dialect })}
        >
          Disconnect
        </Button>
      </div>
    </li>
  );
}
