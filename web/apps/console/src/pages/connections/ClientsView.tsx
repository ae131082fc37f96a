/** Who is connected, on all nodes: ten thousand rows at most, filtered and sorted by the server. */

import { Age } from "@vagus/react";
import { SearchX, Unplug } from "lucide-react";
import { type ReactNode, useCallback, useMemo } from "react";
import { bytesText } from "../../charts/format.js";
import { useStore } from "../../store.js";
import { Button } from "../../ui/Button.js";
import { CopyLine, EmptyState } from "../../ui/EmptyState.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Select } from "../../ui/Field.js";
import { Mark } from "../../ui/Mark.js";
import { Panel } from "../../ui/Panel.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { MOST_ROWS, NEWEST_FIRST, useClients } from "./asking.js";
import { useControl } from "./control.js";
import { FilterInput, Overdue, Uncovered } from "./parts.js";
import { type Column, RowTable } from "./RowTable.js";
import type { Connected } from "./values.js";
import {
  bytesRateText,
  countOf,
  countText,
  DIALECT_NAMES,
  dialectText,
  rateText,
  rolesText,
  shortId,
  transportText,
  userText,
} from "./words.js";

export function ClientsView(): ReactNode {
  const { search, change, isPaused, watch } = useControl();
  const { asked, clients, total, coverage } = useClients(search, isPaused);
  const { nodes } = useStore(watch);
  const names = JSON.stringify(nodes.map(({ node }) => [node.id, node.name]));
  const columns = useMemo(() => columnsOf(new Map(JSON.parse(names))), [names]);
  const { fetchNextPage, hasNextPage, isFetching } = asked;
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [fetchNextPage, hasNextPage, isFetching]);
  const isCut = total > MOST_ROWS;
  return (
    <Panel
      title="Clients"
      about={isCut ? `${countText(total)}; the first ${countText(MOST_ROWS)} are shown` : countText(total)}
      at={asked.dataUpdatedAt || null}
      flush
      className="mt-gap"
    >
      <ClientFilters />
      <Uncovered coverage={coverage} />
      {asked.data && <Overdue error={asked.error} />}
      {asked.error && !asked.data ? (
        <Fault
          title="The clients could not be read."
          error={asked.error}
          retry={() => void asked.refetch()}
        />
      ) : asked.isPending ? (
        <Skeleton className="m-4 h-64 w-auto" />
      ) : clients.length === 0 ? (
        <NoClients />
      ) : (
        <RowTable
          label="Clients"
          columns={columns}
          rows={clients}
          count={Math.min(total, MOST_ROWS)}
          keyOf={idOf}
          sort={search.sort ?? NEWEST_FIRST}
          onSort={(sort) => change({ sort: sort === NEWEST_FIRST ? undefined : sort })}
          opened={search.open}
          onOpen={({ id }) => change({ open: id })}
          onEnd={loadMore}
        />
      )}
    </Panel>
  );
}

const idOf = ({ id }: Connected): string => id;

function columnsOf(nodes: ReadonlyMap<string, string>): readonly Column<Connected>[] {
  const several = nodes.size > 1;
  return [
    {
      id: "user",
      title: "Who",
      track: "minmax(8rem, 1.6fr)",
      sort: "user",
      cell: ({ user, id, roles, slow }) => (
        <span className="flex min-w-0 items-center gap-2" title={`${userText(user)}, connection ${id}`}>
          {slow && <Mark tone="warn" label="slow" />}
          <span className={user ? "truncate font-medium" : "truncate text-muted"}>{userText(user)}</span>
          <span className="truncate text-faint max-sm:hidden">{rolesText(user, roles) || shortId(id)}</span>
        </span>
      ),
    },
    {
      id: "dialect",
      title: "Dialect",
      track: "minmax(6rem, 1.2fr)",
      sort: "dialect",
      from: 640,
      cell: ({ dialect, transport }) => (
        <>
          {dialectText(dialect)} <span className="text-faint">{transportText(dialect, transport)}</span>
        </>
      ),
    },
    {
      id: "address",
      title: "Address",
      track: "minmax(6rem, 1fr)",
      sort: "address",
      from: 980,
      cell: ({ address }) => address,
    },
    ...(several
      ? [
          {
            id: "node",
            title: "Node",
            track: "minmax(5rem, 0.8fr)",
            sort: "node",
            from: 1_100,
            cell: ({ node }: Connected) => nodes.get(node) ?? shortId(node),
          },
        ]
      : []),
    {
      id: "since",
      title: "Since",
      track: "minmax(6rem, 0.9fr)",
      sort: "connectedAt",
      from: 460,
      cell: ({ connectedAt }) => <Age at={connectedAt} focusable={false} />,
    },
    {
      id: "channels",
      title: "Channels",
      track: "4.5rem",
      sort: "channels",
      isNumber: true,
      cell: ({ channels, firstChannels }) => (
        <span title={firstChannels.join("\n")}>{countText(channels)}</span>
      ),
    },
    {
      id: "in",
      title: "In",
      track: "4.5rem",
      sort: "messagesInPerSecond",
      isNumber: true,
      from: 820,
      cell: ({ messagesInPerSecond }) => rateText(messagesInPerSecond),
    },
    {
      id: "out",
      title: "Out",
      track: "4.5rem",
      sort: "messagesOutPerSecond",
      isNumber: true,
      from: 340,
      cell: ({ messagesOutPerSecond }) => rateText(messagesOutPerSecond),
    },
    {
      id: "bytes",
      title: "Bytes out",
      track: "5.5rem",
      sort: "bytesOutPerSecond",
      isNumber: true,
      from: 1_060,
      cell: ({ bytesOutPerSecond }) => bytesRateText(bytesOutPerSecond),
    },
    {
      id: "queue",
      title: "Queue",
      track: "5rem",
      sort: "queueBytes",
      isNumber: true,
      from: 560,
      cell: ({ queueBytes }) =>
        queueBytes > 0 ? bytesText(queueBytes) : <span className="text-faint">0</span>,
    },
  ];
}

const EVERYBODY = { value: "", label: "All speeds" } as const;
const ONLY_SLOW = { value: "slow", label: "Slow only" } as const;

function ClientFilters(): ReactNode {
  const { search, change, watch } = useControl();
  const { nodes } = useStore(watch);
  const setUser = useCallback((user: string | undefined) => change({ user }), [change]);
  const setChannel = useCallback((channel: string | undefined) => change({ channel }), [change]);
  const isKnown = nodes.some(({ node }) => node.id === search.node);
  const choosesNode = nodes.length > 1 || search.node !== undefined;
  return (
    <search
      aria-label="Filter the clients"
      className="grid grid-cols-2 gap-2 px-pad pb-3 sm:auto-cols-auto sm:grid-flow-col sm:grid-cols-[1fr_1fr]"
    >
      <FilterInput label="User" placeholder="User, or a* or *a" value={search.user} onChange={setUser} />
      <FilterInput
        label="In the channel"
        placeholder="In the channel"
        value={search.channel}
        onChange={setChannel}
      />
      <Select
        aria-label="Dialect"
        className="h-control-small text-xs"
        options={[
          { value: "", label: "All dialects" },
          ...DIALECT_NAMES.map((value) => ({ value, label: dialectText(value) })),
        ]}
        value={search.dialect ?? ""}
        onChange={(dialect) => change({ dialect: dialect || undefined })}
      />
      {choosesNode && (
        <Select
          aria-label="Node"
          className="h-control-small text-xs"
          options={[
            { value: "", label: "All nodes" },
            ...nodes.map(({ node }) => ({ value: node.id, label: node.name })),
            ...(search.node && !isKnown ? [{ value: search.node, label: shortId(search.node) }] : []),
          ]}
          value={search.node ?? ""}
          onChange={(node) => change({ node: node || undefined })}
        />
      )}
      <Select
        aria-label="Speed"
        className="h-control-small text-xs"
        options={[EVERYBODY, ONLY_SLOW]}
        value={search.slow ? "slow" : ""}
        onChange={(slow) => change({ slow: slow === "slow" ? 1 : undefined })}
      />
    </search>
  );
}

function NoClients(): ReactNode {
  const { search, show } = useControl();
  const { node, user, channel, dialect, slow } = search;
  const filters = [node, user, channel, dialect, slow].filter(Boolean).length;
  if (filters > 0) {
    return (
      <EmptyState
        icon={SearchX}
        title="Nobody like that is connected."
        action={
          <Button onClick={() => show({ view: "clients" })}>Remove {countOf(filters, "filter")}</Button>
        }
      />
    );
  }
  return (
    <EmptyState icon={Unplug} title="Nobody is connected.">
      <p>Open this page in a second tab, or follow a channel from a shell:</p>
      <CopyLine>vagus tail news</CopyLine>
    </EmptyState>
  );
}
