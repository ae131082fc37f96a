/**
 * Connections: the nodes, who is connected to them, which channels they follow and who cannot keep up.
 *
 * Nodes and totals come by the channel `connections` while the page is open; lists and details are asked for when they are
 * looked at. A pause freezes all of it. What is seen is in the address.
 */

import { useNavigate, useSearch } from "@tanstack/react-router";
import { Age, useChannel } from "@vagus/react";
import { Lock, Pause, Play } from "lucide-react";
import { type ReactNode, useCallback, useEffect, useMemo, useState } from "react";
import { useActions } from "../../actions.js";
import "../../charts/charts.css";
import { bytesText } from "../../charts/format.js";
import { useRole } from "../../session.js";
import { Page } from "../../shell/Page.js";
import { useStore } from "../../store.js";
import { Badge } from "../../ui/Badge.js";
import { Button } from "../../ui/Button.js";
import { EmptyState } from "../../ui/EmptyState.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Card } from "../../ui/Panel.js";
import { Tabs } from "../../ui/Tabs.js";
import { useLook } from "./asking.js";
import { ChannelDrawer } from "./ChannelDrawer.js";
import { ChannelsView } from "./ChannelsView.js";
import { ClientDrawer } from "./ClientDrawer.js";
import { ClientsView } from "./ClientsView.js";
import { type Control, ControlContext, useControl } from "./control.js";
import { DisconnectDialog, type Disconnected } from "./DisconnectDialog.js";
import { NodesView } from "./NodesView.js";
import { Fact, Overdue } from "./parts.js";
import { SlowView } from "./SlowView.js";
import type { View } from "./search.js";
import { lookOf, Watch } from "./watch.js";
import { countOf, countText, rateText } from "./words.js";

const CHANNEL = "connections";

export function ConnectionsPage(): ReactNode {
  const search = useSearch({ from: "/connections" });
  const navigate = useNavigate({ from: "/connections" });
  const mayWatch = useRole("operator", "admin", "auditor");
  const mayDisconnect = useRole("admin");
  const [watch] = useState(() => new Watch());
  const [disconnected, askToDisconnect] = useState<Disconnected>();
  const { view = "nodes", open, paused } = search;
  const isPaused = paused === 1;

  const { data, error, refetch } = useLook(!mayWatch && !isPaused);
  useEffect(() => data && watch.take(data), [data, watch]);
  useEffect(() => (isPaused ? watch.pause(Date.now()) : watch.resume()), [isPaused, watch]);

  const change = useCallback<Control["change"]>(
    (changes) =>
      void navigate({
        search: (before) => defined({ ...before, ...changes }),
        replace: !("open" in changes),
      }),
    [navigate],
  );
  const show = useCallback<Control["show"]>(
    (next) => void navigate({ search: ({ paused }) => defined({ ...next, paused }) }),
    [navigate],
  );
  const control = useMemo<Control>(
    () => ({ search, change, show, watch, isPaused, mayDisconnect, askToDisconnect }),
    [search, change, show, watch, isPaused, mayDisconnect],
  );
  useActions(
    useMemo(
      () => [
        {
          id: "connections.pause",
          title: isPaused ? "Go on with the live view" : "Pause the live view",
          group: "Connections",
          keys: "space",
          alsoKeys: "p",
          icon: isPaused ? Play : Pause,
          run: () => change({ paused: isPaused ? undefined : 1 }),
        },
        ...TABS.map(({ id, label }) => ({
          id: `connections.${id}`,
          title: `Show ${label.toLowerCase()}`,
          group: "Connections",
          run: () => show(id === "nodes" ? {} : { view: id }),
        })),
      ],
      [isPaused, change, show],
    ),
  );

  return (
    <ControlContext value={control}>
      {mayWatch && <Following watch={watch} />}
      <Page title="Connections" about={<Newest />} actions={<PauseButton />}>
        <Totals />
        {error && !data && (
          <Fault title="The nodes could not be asked." error={error} retry={() => void refetch()} />
        )}
        {data && !mayWatch && <Overdue error={error} />}
        <div className="min-w-0">
          <Views view={view} mayWatch={mayWatch} />
        </div>
      </Page>
      {mayWatch && open !== undefined && view === "clients" && <ClientDrawer key={open} id={open} />}
      {mayWatch && open !== undefined && view === "channels" && <ChannelDrawer key={open} name={open} />}
      {disconnected && <DisconnectDialog whom={disconnected} onClose={() => askToDisconnect(undefined)} />}
    </ControlContext>
  );
}

/** Follows the channel while it is there; it shows nothing. */
function Following({ watch }: { readonly watch: Watch }): ReactNode {
  const { latest } = useChannel<string>(CHANNEL, { keep: 1, throttle: 0, recover: false });
  useEffect(() => {
    const look = lookOf(latest?.data);
    if (look) watch.take(look);
  }, [latest, watch]);
  return null;
}

/** How old what is shown is. */
function Newest(): ReactNode {
  const { watch, isPaused } = useControl();
  const { look } = useStore(watch);
  return (
    <span className="flex items-center gap-2 text-xs text-muted">
      {isPaused && <Badge tone="paused">Paused</Badge>}
      <Age at={look?.at ?? null} none="no data yet" />
    </span>
  );
}

function PauseButton(): ReactNode {
  const { watch, isPaused, change } = useControl();
  const { waiting } = useStore(watch);
  return (
    <Button
      icon={isPaused ? Play : Pause}
      aria-keyshortcuts="Space P"
      onClick={() => change({ paused: isPaused ? undefined : 1 })}
    >
      {isPaused ? `${countOf(waiting, "update")} waiting, go on` : "Pause"}
    </Button>
  );
}

function Totals(): ReactNode {
  const { look } = useStore(useControl().watch);
  if (look === undefined) return null;
  const { totals, coverage } = look;
  return (
    <Card>
      <dl
        aria-label="All nodes together"
        className="grid grid-cols-3 gap-x-4 gap-y-3 sm:grid-cols-4 lg:grid-cols-8"
      >
        <Fact name="Nodes">{countText(coverage.nodes)}</Fact>
        <Fact name="Clients">{countText(totals.clients)}</Fact>
        <Fact name="Users" hint="Somebody on two nodes counts twice">
          {countText(totals.users)}
        </Fact>
        <Fact name="Channels" hint="One on two nodes counts twice">
          {countText(totals.channels)}
        </Fact>
        <Fact name="Subscriptions">{countText(totals.subscriptions)}</Fact>
        <Fact name="Commands">{rateText(totals.messagesInPerSecond)}</Fact>
        <Fact name="Deliveries">{rateText(totals.messagesOutPerSecond)}</Fact>
        <Fact name="Waiting" hint="Bytes held for clients that do not read as fast as they are sent to">
          {bytesText(totals.queueBytes)}
        </Fact>
      </dl>
    </Card>
  );
}

const TABS = [
  { id: "nodes", label: "Nodes" },
  { id: "clients", label: "Clients" },
  { id: "channels", label: "Channels" },
  { id: "slow", label: "Slow clients" },
] as const;

const VIEWS: Readonly<Record<View, () => ReactNode>> = {
  nodes: NodesView,
  clients: ClientsView,
  channels: ChannelsView,
  slow: SlowView,
};

function Views({ view, mayWatch }: { readonly view: View; readonly mayWatch: boolean }): ReactNode {
  const { watch, show } = useControl();
  const { look } = useStore(watch);
  const counts = look && {
    nodes: look.coverage.nodes,
    clients: look.totals.clients,
    channels: look.totals.channels,
    slow: look.totals.slowClients,
  };
  const Shown = VIEWS[view];
  return (
    <Tabs
      label="Connections by"
      tabs={TABS.map((tab) => ({ ...tab, ...(counts && { count: counts[tab.id] }) }))}
      value={view}
      onChange={(id) => show(id === "nodes" ? {} : { view: id })}
    >
      {view === "nodes" || mayWatch ? (
        <Shown />
      ) : (
        <EmptyState icon={Lock} title="Operators, admins and auditors see who is connected.">
          <p>You may see the nodes. Ask an admin for one of these roles if you need more.</p>
        </EmptyState>
      )}
    </Tabs>
  );
}

/** Without what is `undefined`, which an address cannot hold. */
function defined<T extends object>(search: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(kept) as { [K in keyof T]: Exclude<T[K], undefined> };
}
