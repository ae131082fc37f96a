/** What an application declares; the type tests of this folder stand on it. */

import type { Envelope } from "@vagus/client";

export interface Order {
  readonly id: number;
  readonly state: "open" | "closed";
}

export interface Shipped {
  readonly order: number;
}

declare module "@vagus/client" {
  interface Channels {
    [channel: `orders:${string}`]: Order;
    shipments: Envelope<"Shipped", Shipped>;
  }
  interface Calls {
    "orders.close": { request: { readonly id: number }; result: Order };
  }
}
