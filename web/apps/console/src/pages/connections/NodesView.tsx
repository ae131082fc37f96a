/** The nodes: how each one does, what it carries, and its figures of the last minutes as lines. */

import { Age } from "@vagus/react";
import { type ReactNode, useCallback } from "react";
import { bytesText, durationText } from "../../charts/format.js";
import type { Window } from "../../charts/ranges.js";
import { Sparkline } from "../../charts/Sparkline.js";
import type { Track } from "../../charts/track.js";
import { useStore } from "../../store.js";
import { Badge } from "../../ui/Badge.js";
import { Button } from "../../ui/Button.js";
import { Mark } from "../../ui/Mark.js";
import { Card } from "../../ui/Panel.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { conditionOf } from "./condition.js";
import { useControl } from "./control.js";
import { Fact, Uncovered } from "./parts.js";
import { LINES_MS, type Seen } from "./watch.js";
import { countText, msText, percentText, rateText, shortId } from "./words.js";

export function NodesView(): ReactNode {
  const { watch } = useControl();
  const { look, nodes } = useStore(watch);
  if (look === undefined) {
    return (
      <div role="status" className="grid gap-gap pt-gap lg:grid-cols-2">
        <span className="sr-only">Asking the nodes</span>
        <Skeleton className="h-72" />
        <Skeleton className="h-72 max-lg:hidden" />
      </div>
    );
  }
  return (
    <>
      <Uncovered coverage={look.coverage} />
      <ul className="grid gap-gap pt-gap lg:grid-cols-2 2xl:grid-cols-3">
        {nodes.map((seen) => (
          <li key={seen.node.id} className="only:col-span-full">
            <NodeCard seen={seen} lookedAt={look.at} />
          </li>
        ))}
      </ul>
    </>
  );
}

function NodeCard({ seen, lookedAt }: { readonly seen: Seen; readonly lookedAt: number }): ReactNode {
  const { watch, show } = useControl();
  const { node, at } = seen;
  const isAway = at < lookedAt;
  const { tone, word, meaning } = conditionOf(node, isAway);
  const { cpu, memory, lag, out } = watch.tracksOf(node.id);
  const window = useCallback(() => windowOf(cpu, lookedAt), [cpu, lookedAt]);
  return (
    <Card className="grid content-start gap-4">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="min-w-0 truncate text-sm font-semibold">{node.name}</h2>
        <Badge tone={tone}>{word}</Badge>
        <span className="ms-auto text-xs text-muted">
          {isAway ? <Age at={at} /> : `up ${durationText(node.uptimeSeconds)}`}
        </span>
        <p className="w-full text-xs text-muted">
          {meaning || `Version ${node.version}, ${shortId(node.id)}`}
        </p>
      </header>
      <div className="grid grid-cols-2 gap-3 sm:grid-cols-4">
        <Gauge name="Processor" track={cpu} window={window}>
          {percentText(node.cpuPercent)}
        </Gauge>
        <Gauge name="Memory" track={memory} window={window}>
          {bytesText(node.memoryBytes)}
        </Gauge>
        <Gauge name="Loop lag, highest" track={lag} window={window}>
          {msText(node.loopLagMs.highest)}
        </Gauge>
        <Gauge name="Deliveries" track={out} window={window}>
          {rateText(node.messagesOutPerSecond)}
        </Gauge>
      </div>
      <dl className="grid grid-cols-3 gap-x-3 gap-y-2 border-t border-line pt-3 sm:grid-cols-5">
        <Fact name="Clients">{countText(node.clients)}</Fact>
        <Fact name="Users">{countText(node.users)}</Fact>
        <Fact name="Channels">{countText(node.channels)}</Fact>
        <Fact name="Subscriptions">{countText(node.subscriptions)}</Fact>
        <Fact name="Commands" hint="What clients of this node ask for">
          {rateText(node.messagesInPerSecond)}
        </Fact>
        <Fact name="Loop lag, median">{msText(node.loopLagMs.median)}</Fact>
        <Fact name="Waiting" hint="Bytes held for clients that do not read as fast as they are sent to">
          {bytesText(node.queueBytes)}
        </Fact>
        <Fact name="Slow now">{countText(node.slowClients)}</Fact>
        <Fact name="Closed as slow" hint="Since the node's start">
          {countText(node.closedSlow)}
        </Fact>
        <Fact name="Dropped" hint="Messages that slow clients lost, since the node's start">
          {countText(node.dropped)}
        </Fact>
      </dl>
      <footer className="flex flex-wrap items-center gap-x-4 gap-y-2 text-xs">
        <span className="inline-flex items-center gap-1.5">
          <Mark tone={node.broker === "ok" ? "good" : "bad"} />
          Broker {node.broker === "ok" ? `ok, ${msText(node.brokerLagMs)}` : "failed"}
        </span>
        <span className="inline-flex items-center gap-1.5">
          <Mark tone={STORES[node.store]} />
          {node.store === "none" ? "No store" : `Store ${node.store}`}
        </span>
        <Button size="small" className="ms-auto" onClick={() => show({ view: "clients", node: node.id })}>
          Its clients
        </Button>
      </footer>
    </Card>
  );
}

/** From the first look on, and not before it. It ends with the last look, so that lines stand still in a pause. */
function windowOf({ at }: Track, to: number): Window {
  const first = at[0] ?? to;
  return { from: Math.max(to - LINES_MS, Math.min(first, to - SHORTEST_MS)), to };
}

const SHORTEST_MS = 30_000;
const STORES = { ok: "good", failed: "bad", none: "unknown" } as const;

interface GaugeProps {
  readonly name: string;
  readonly track: Track;
  readonly window: () => Window;
  readonly children: ReactNode;
}

function Gauge({ name, track, window, children }: GaugeProps): ReactNode {
  return (
    <div className="min-w-0">
      <p className="truncate text-2xs text-muted">{name}</p>
      <p className="figure truncate text-lg">{children}</p>
      <Sparkline track={track} window={window} />
    </div>
  );
}
