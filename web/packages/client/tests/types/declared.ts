/** What an application declares; the type tests of this folder stand on it. */

export interface Order {
  readonly id: number;
  readonly state: "open" | "closed";
}

export interface Reading {
  readonly celsius: number;
}

declare module "@vagus/client" {
  interface Channels {
    [channel: `orders:${string}`]: Order;
    [channel: `rooms:${number}:reading`]: Reading;
    weather: Reading;
  }
  interface Calls {
    [method: `orders.${string}`]: { request: { readonly id: number }; result: Order };
    now: { request: undefined; result: string };
  }
}
