/** One connection with all its figures and channels. It stays open over a refresh, and says when the client has gone. */

import { Age } from "@vagus/react";
import { Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { bytesText, durationText } from "../../charts/format.js";
import { Badge } from "../../ui/Badge.js";
import { Button } from "../../ui/Button.js";
import { Dialog } from "../../ui/Dialog.js";
import { EmptyState } from "../../ui/EmptyState.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { Table } from "../../ui/Table.js";
import { isGone, useClient } from "./asking.js";
import { useControl } from "./control.js";
import { Fact, Overdue } from "./parts.js";
import type { ClientDetails, Followed } from "./values.js";
import {
  bytesRateText,
  countOf,
  countText,
  dialectText,
  rateText,
  shortId,
  transportText,
  userText,
} from "./words.js";

export function ClientDrawer({ id }: { readonly id: string }): ReactNode {
  const { change, isPaused } = useControl();
  const { data, error, refetch } = useClient(id, isPaused);
  const hasLeft = isGone(error);
  return (
    <Dialog
      open
      shape="drawer"
      onClose={() => change({ open: undefined })}
      title={data ? userText(data.client.user) : "Client"}
      description={<span className="font-mono text-xs break-all">{id}</span>}
      footer={data && !hasLeft && <Disconnecting details={data} />}
    >
      {hasLeft ? (
        <EmptyState icon={Unplug} title="This client is not connected any more.">
          <p>
            {data
              ? `It was connected as ${userText(data.client.user)}.`
              : "It may have left, or come back under another id."}
          </p>
        </EmptyState>
      ) : error && !data ? (
        <Fault title="The client could not be read." error={error} retry={() => void refetch()} />
      ) : data ? (
        <>
          <Overdue error={error} />
          <Details details={data} />
        </>
      ) : (
        <Skeleton className="h-96" />
      )}
    </Dialog>
  );
}

function Disconnecting({ details }: { readonly details: ClientDetails }): ReactNode {
  const { askToDisconnect, mayDisconnect } = useControl();
  const { id, user, dialect } = details.client;
  const blocked = !mayDisconnect && "Only admins disconnect others.";
  return (
    <>
      {user && (
        <Button
          variant="danger"
          blocked={blocked}
          onClick={() => askToDisconnect({ client: "", user, dialect: "" })}
        >
          Disconnect all of {user}
        </Button>
      )}
      <Button
        variant="danger"
        icon={Unplug}
        blocked={blocked}
        onClick={() => askToDisconnect({ client: id, user, dialect })}
      >
        Disconnect
      </Button>
    </>
  );
}

function Details({ details }: { readonly details: ClientDetails }): ReactNode {
  const { client, agent, expiresAt, queueLimit, pausedMs, subscriptions } = details;
  const transport = transportText(client.dialect, client.transport);
  return (
    <div className="grid gap-5">
      <div className="flex flex-wrap gap-1.5">
        {client.slow && <Badge tone="warn">slow</Badge>}
        {client.roles.map((role) => (
          <Badge key={role}>{role}</Badge>
        ))}
        <Badge>{dialectText(client.dialect)}</Badge>
        {transport && <Badge>{transport}</Badge>}
        {client.section && <Badge>{client.section}</Badge>}
      </div>
      <dl className="grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-3">
        <Fact name="Address">{client.address || "–"}</Fact>
        <Fact name="Connected">
          <Age at={client.connectedAt} />
        </Fact>
        <Fact name="Sign-in ends">
          {expiresAt === null
            ? "never"
            : new Date(expiresAt).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" })}
        </Fact>
        <Fact name="Commands" hint="What it asked for">
          {countText(client.messagesIn)} · {rateText(client.messagesInPerSecond)}
        </Fact>
        <Fact name="Deliveries" hint="What it was sent">
          {countText(client.messagesOut)} · {rateText(client.messagesOutPerSecond)}
        </Fact>
        <Fact name="Node">{shortId(client.node)}</Fact>
        <Fact name="Bytes in">
          {bytesText(client.bytesIn)} · {bytesRateText(client.bytesInPerSecond)}
        </Fact>
        <Fact name="Bytes out">
          {bytesText(client.bytesOut)} · {bytesRateText(client.bytesOutPerSecond)}
        </Fact>
        <Fact name="Queue">
          {bytesText(client.queueBytes)} of {bytesText(queueLimit)}
        </Fact>
        {pausedMs !== null && <Fact name="Has not read for">{durationText(pausedMs / 1_000)}</Fact>}
      </dl>
      {agent && <p className="text-xs break-words text-muted">{agent}</p>}
      <Subscriptions subscriptions={subscriptions} />
    </div>
  );
}

const MOST_SUBSCRIPTIONS = 500;

function Subscriptions({ subscriptions }: { readonly subscriptions: readonly Followed[] }): ReactNode {
  const { show } = useControl();
  const hidden = subscriptions.length - MOST_SUBSCRIPTIONS;
  return (
    <section>
      <h3 className="text-sm font-semibold">{countOf(subscriptions.length, "channel")}</h3>
      {subscriptions.length > 0 && (
        <div className="-mx-4 mt-2">
          <Table
            caption="Channels of this client"
            rows={subscriptions.slice(0, MOST_SUBSCRIPTIONS)}
            rowKey={({ channel }) => channel}
            onOpen={({ channel }) => show({ view: "channels", open: channel })}
            columns={[
              {
                id: "channel",
                header: "Channel",
                cell: ({ channel }) => <span className="break-all">{channel}</span>,
              },
              {
                id: "how",
                header: "How",
                cell: (followed) => <span className="text-xs text-muted">{howText(followed)}</span>,
              },
              {
                id: "position",
                header: "At",
                align: "end",
                cell: ({ position }) => (position === null ? "–" : countText(position.offset)),
              },
            ]}
          />
        </div>
      )}
      {hidden > 0 && <p className="mt-2 text-xs text-muted">{countText(hidden)} more are not shown.</p>}
    </section>
  );
}

/** How it is sent a channel's messages, as far as that is not the plain way. */
function howText({ byServer, recoverable, maxPerSecond, deltas, filtered, whenFull }: Followed): string {
  const words = [
    byServer && "by the server",
    recoverable && "recovers",
    maxPerSecond !== null && `at most ${rateText(maxPerSecond)}`,
    deltas && "differences",
    filtered && "filtered",
    whenFull !== "disconnect" && whenFull.replace("-", " "),
  ];
  return words.filter(Boolean).join(", ") || "plain";
}
