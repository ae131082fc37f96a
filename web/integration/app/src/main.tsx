/** A page as somebody would write it who has both packages from the registry. */

import { createClient } from "@vagus/client";
import { RealtimeProvider, RealtimeStatus, useChannel, useRealtimeConnection } from "@vagus/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@vagus/react/styles.css";

interface Order {
  readonly state: "open" | "paid";
}

declare module "@vagus/client" {
  interface Channels {
    [channel: `orders:${string}`]: Order;
  }
}

const client = createClient({
  sharedWorker: () => new SharedWorker(new URL("./realtime.worker.ts", import.meta.url), { type: "module" }),
});
client.connect();

function OrderState({ id }: { id: number }) {
  const { latest } = useChannel(`orders:${id}`, { throttle: 100 });
  const state: Order["state"] | undefined = latest?.data.state;
  const transport = useRealtimeConnection(({ transport }) => transport);
  return (
    <p>
      order <output id="order">{state ?? "unknown"}</output> by <output id="transport">{transport}</output>
    </p>
  );
}

const root = document.querySelector("main");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <RealtimeProvider client={client}>
        <RealtimeStatus />
        <OrderState id={7} />
      </RealtimeProvider>
    </StrictMode>,
  );
}
