/** The channels that somebody follows, on all nodes. */

import { RadioTower, SearchX } from "lucide-react";
import { type ReactNode, useCallback } from "react";
import { durationText } from "../../charts/format.js";
import { Button } from "../../ui/Button.js";
import { EmptyState } from "../../ui/EmptyState.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Panel } from "../../ui/Panel.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { LARGEST_FIRST, useChannels } from "./asking.js";
import { useControl } from "./control.js";
import { FilterInput, Overdue, Uncovered } from "./parts.js";
import { type Column, RowTable } from "./RowTable.js";
import type { Channel } from "./values.js";
import { countText, rateText } from "./words.js";

export function ChannelsView(): ReactNode {
  const { search, change, show, isPaused } = useControl();
  const { data, error, isPending, dataUpdatedAt, refetch } = useChannels(search, isPaused);
  const setPattern = useCallback((pattern: string | undefined) => change({ pattern }), [change]);
  const channels = data?.channels ?? [];
  return (
    <Panel
      title="Channels"
      about={data && aboutText(data)}
      at={dataUpdatedAt || null}
      flush
      className="mt-gap"
    >
      <search aria-label="Filter the channels" className="block max-w-96 px-pad pb-3">
        <FilterInput
          label="Name"
          placeholder="Name, or orders:* "
          value={search.pattern}
          onChange={setPattern}
        />
      </search>
      <Uncovered coverage={data?.coverage} />
      {data && <Overdue error={error} />}
      {error && !data ? (
        <Fault title="The channels could not be read." error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Skeleton className="m-4 h-64 w-auto" />
      ) : channels.length > 0 ? (
        <RowTable
          label="Channels"
          columns={COLUMNS}
          rows={channels}
          count={channels.length}
          keyOf={nameOf}
          sort={search.sort ?? LARGEST_FIRST}
          onSort={(sort) => change({ sort: sort === LARGEST_FIRST ? undefined : sort })}
          opened={search.open}
          onOpen={({ name }) => change({ open: name })}
        />
      ) : search.pattern ? (
        <EmptyState
          icon={SearchX}
          title="Nobody follows a channel of that name."
          action={<Button onClick={() => show({ view: "channels" })}>Show all channels</Button>}
        />
      ) : (
        <EmptyState icon={RadioTower} title="Nobody follows a channel now.">
          <p>
            A channel is here as long as somebody follows it. It needs no making: subscribing or publishing is
            enough.
          </p>
        </EmptyState>
      )}
    </Panel>
  );
}

const nameOf = ({ name }: Channel): string => name;

function aboutText({
  channels,
  total,
  whole,
}: {
  readonly channels: readonly Channel[];
  readonly total: number;
  readonly whole: boolean;
}): string {
  if (!whole) return `more than ${countText(total)}; narrow the name`;
  return channels.length < total
    ? `${countText(total)}; the first ${countText(channels.length)} are shown`
    : countText(total);
}

export function keptText(history: Channel["history"]): string {
  return history === null ? "none" : `${countText(history.size)} for ${durationText(history.ttlSeconds)}`;
}

const COLUMNS: readonly Column<Channel>[] = [
  {
    id: "name",
    title: "Name",
    track: "minmax(6.5rem, 2fr)",
    sort: "name",
    cell: ({ name }) => (
      <span className="font-medium" title={name}>
        {name}
      </span>
    ),
  },
  {
    id: "rule",
    title: "Rule",
    track: "minmax(6rem, 1fr)",
    from: 700,
    cell: ({ rule }) => <span className="text-muted">{rule}</span>,
  },
  {
    id: "subscribers",
    title: "Subscribers",
    track: "5.5rem",
    sort: "subscribers",
    isNumber: true,
    cell: ({ subscribers }) => countText(subscribers),
  },
  {
    id: "rate",
    title: "Published",
    track: "5rem",
    sort: "publicationsPerSecond",
    isNumber: true,
    from: 340,
    cell: ({ publicationsPerSecond }) => rateText(publicationsPerSecond),
  },
  {
    id: "publications",
    title: "In all",
    track: "5.5rem",
    sort: "publications",
    isNumber: true,
    from: 620,
    cell: ({ publications }) => countText(publications),
  },
  {
    id: "history",
    title: "Keeps",
    track: "minmax(6rem, 0.8fr)",
    from: 900,
    isNumber: true,
    cell: ({ history }) => keptText(history),
  },
  {
    id: "position",
    title: "Position",
    track: "5.5rem",
    from: 480,
    isNumber: true,
    cell: ({ position }) => (position ? countText(position.offset) : "–"),
  },
  {
    id: "nodes",
    title: "Nodes",
    track: "4rem",
    from: 760,
    isNumber: true,
    cell: ({ nodes }) => countText(nodes),
  },
];
