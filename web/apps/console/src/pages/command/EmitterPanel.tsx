/** What the emitter itself takes and has done: processor, memory, the time to collect and to publish, totals. */

import { Age } from "@vagus/react";
import type { ReactNode } from "react";
import { bytesText, durationText, shortId } from "../../charts/format.js";
import { Badge } from "../../ui/Badge.js";
import { Panel } from "../../ui/Panel.js";
import { Unread } from "../../ui/Unread.js";
import { useEmitterHealth, useFigures } from "./asking.js";

const milliseconds = (ms: number): string =>
  `${ms.toLocaleString(undefined, { maximumFractionDigits: 1 })} ms`;

export function EmitterPanel(): ReactNode {
  const query = useFigures();
  const { data: figures, dataUpdatedAt } = query;
  const { data: health } = useEmitterHealth();
  const rows: readonly (readonly [string, ReactNode])[] = [
    [
      "Processor",
      figures && `${figures.cpuPercent.toLocaleString(undefined, { maximumFractionDigits: 1 })} %`,
    ],
    ["Memory", figures && bytesText(figures.memoryBytes)],
    ["Time to collect", figures && milliseconds(figures.collectMs)],
    ["Time to emit", figures && milliseconds(figures.emitMs)],
    ["Loop lag", figures && milliseconds(figures.loopLagMs)],
    ["Pulses made", figures?.totalEmissions.toLocaleString()],
    ["Pulses failed", figures?.failedEmissions.toLocaleString()],
    ["Last pulse", figures && <Age at={figures.lastPulseAt} none="none yet" />],
    ["Listeners", health?.metrics.connectedClients.toLocaleString()],
    ["Running for", health && durationText(health.metrics.uptime)],
  ];
  return (
    <Panel
      title="Emitter"
      about={figures && <State isPaused={figures.paused} isWaiting={health?.status === "waiting"} />}
      at={dataUpdatedAt || null}
    >
      <Unread title="The emitter's figures could not be read." query={query} />
      <dl className="grid grid-cols-[repeat(auto-fill,minmax(7.5rem,1fr))] gap-x-4 gap-y-2.5">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-muted">{name}</dt>
            <dd className="text-sm">{value ?? "–"}</dd>
          </div>
        ))}
      </dl>
      {figures && (
        <p className="mt-3 text-xs text-faint">
          On node <span title={figures.node}>{shortId(figures.node)}</span>
        </p>
      )}
    </Panel>
  );
}

function State({
  isPaused,
  isWaiting,
}: {
  readonly isPaused: boolean;
  readonly isWaiting: boolean;
}): ReactNode {
  if (isWaiting) return <Badge tone="warn">Waits for the store</Badge>;
  return isPaused ? <Badge tone="paused">Paused</Badge> : <Badge tone="good">Active</Badge>;
}
