/** Panels that come and go: one for each channel that `showPanels` was called with last. */

import { useRealtimeMetrics } from "@vagus/react";
import { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import type { NumbersChannel } from "./lab.js";

declare global {
  var showPanels: (channels: readonly NumbersChannel[]) => void;
}

export function Passing() {
  const [channels, setChannels] = useState<readonly NumbersChannel[]>([]);
  useEffect(() => {
    globalThis.showPanels = (wanted) => flushSync(() => setChannels(wanted));
  }, []);
  return channels.map((channel, place) => <Panel key={`${channel} ${place}`} channel={channel} />);
}

function Panel({ channel }: { readonly channel: NumbersChannel }) {
  const { data } = useRealtimeMetrics(channel, { throttle: 0 });
  return <output className="panel">{data?.n}</output>;
}
