/** What hooks give for the channels and calls that an application declared. */

import type { Message, Receipt } from "@vagus/client";
import {
  useCall,
  useChannel,
  usePublish,
  useRealtimeActivities,
  useRealtimeActivityFeed,
  useRealtimeConnection,
  useRealtimeDashboardMetrics,
  useRealtimeMetrics,
  useRealtimeSubscriptions,
  useWebSocket,
} from "@vagus/react";
import { expectTypeOf, test } from "vitest";
import type { Order, Shipped } from "./declared.js";

declare const name: string;

test("a channel's messages have the type that is declared for it", () => {
  const orders = useChannel("orders:7");
  expectTypeOf(orders.latest).toEqualTypeOf<Message<Order> | undefined>();
  expectTypeOf(orders.messages).toEqualTypeOf<readonly Message<Order>[]>();
  expectTypeOf(useChannel(name).latest).toEqualTypeOf<Message<unknown> | undefined>();
});

test("with suspense there is a message from the first render on", () => {
  expectTypeOf(useChannel("orders:7", { suspense: true }).latest).toExtend<Message<Order>>();
});

test("metrics are the data of the channel, or what is selected of it", () => {
  expectTypeOf(useRealtimeMetrics("orders:7").data).toEqualTypeOf<Order | undefined>();
  const state = useRealtimeMetrics("orders:7", { select: (order) => order.state });
  expectTypeOf(state.data).toEqualTypeOf<Order["state"] | undefined>();
  expectTypeOf(useRealtimeMetrics("orders:7", { suspense: true }).data).toEqualTypeOf<Order>();
});

test("activities and their feed carry the type", () => {
  expectTypeOf(useRealtimeActivities("orders:7").activities).toEqualTypeOf<readonly Message<Order>[]>();
  const [row] = useRealtimeActivityFeed({ channel: "orders:7", filter: ({ data }) => data.id > 1 }).rows;
  expectTypeOf(row?.message).toEqualTypeOf<Message<Order> | undefined>();
});

test("the dashboard knows the events of the server's own apps", () => {
  const amount = useRealtimeDashboardMetrics(({ RevenueUpdate }) => RevenueUpdate?.amount);
  expectTypeOf(amount).toEqualTypeOf<number | undefined>();
});

test("a selector decides what a hook gives", () => {
  expectTypeOf(useRealtimeConnection().isConnected).toBeBoolean();
  expectTypeOf(useRealtimeConnection(({ client }) => client)).toBeString();
  expectTypeOf(useRealtimeSubscriptions((channels) => channels.size)).toBeNumber();
});

test("a call has its request and its result", () => {
  const { call, result } = useCall("orders.close");
  expectTypeOf(call).parameter(0).toEqualTypeOf<{ readonly id: number }>();
  expectTypeOf(result).toEqualTypeOf<Order | undefined>();
});

test("what is published has the type of the channel", () => {
  const { publish, result } = usePublish("orders:7");
  expectTypeOf(publish).parameter(0).toEqualTypeOf<Order>();
  expectTypeOf(result).toEqualTypeOf<Receipt | undefined>();
});

test("a listener gets the payload of its type of event", () => {
  const { on } = useWebSocket("ada");
  on("Shipped", (payload) => expectTypeOf(payload).toEqualTypeOf<Shipped>());
  on("undeclared", (payload) => expectTypeOf(payload).toBeUnknown());
});
