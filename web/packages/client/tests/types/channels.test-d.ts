/** What a channel's name says about its data. */

import type { Client, DataOf, HistoryPage, Message, Receipt, Subscription } from "@vagus/client";
import { expectTypeOf, test } from "vitest";
import type { Order, Reading } from "./declared.js";

declare const client: Client;
declare const name: string;
declare const order: Order;

test("a declared name has its type", () => {
  expectTypeOf<DataOf<"weather">>().toEqualTypeOf<Reading>();
});

test("a name that a declared pattern matches has the type of the pattern", () => {
  expectTypeOf<DataOf<"orders:7">>().toEqualTypeOf<Order>();
  expectTypeOf<DataOf<`orders:${number}`>>().toEqualTypeOf<Order>();
  expectTypeOf<DataOf<"rooms:12:reading">>().toEqualTypeOf<Reading>();
});

test("a name that matches nothing, and one known only at run time, hold something unknown", () => {
  expectTypeOf<DataOf<"rooms:kitchen:reading">>().toBeUnknown();
  expectTypeOf<DataOf<"order:7">>().toBeUnknown();
  expectTypeOf<DataOf<string>>().toBeUnknown();
});

test("one of several names holds one of their types", () => {
  expectTypeOf<DataOf<"weather" | "orders:7">>().toEqualTypeOf<Reading | Order>();
});

test("a subscription carries the type to every way of reading it", () => {
  const orders = client.subscribe("orders:7");
  expectTypeOf(orders).toEqualTypeOf<Subscription<Order>>();
  expectTypeOf(orders.latest.get()).toEqualTypeOf<Message<Order> | undefined>();
  expectTypeOf(orders.messages.get()).toEqualTypeOf<readonly Message<Order>[]>();
  expectTypeOf(orders.listen).parameter(0).parameter(0).toEqualTypeOf<readonly Message<Order>[]>();
  expectTypeOf(orders[Symbol.asyncIterator]()).toEqualTypeOf<AsyncIterator<Message<Order>>>();
});

test("a template literal keeps its pattern", () => {
  const id = 7;
  expectTypeOf(client.subscribe(`orders:${id}` as const)).toEqualTypeOf<Subscription<Order>>();
});

test("what is published has the type of the channel", () => {
  expectTypeOf(client.publish<"orders:7">)
    .parameter(1)
    .toEqualTypeOf<Order>();
  expectTypeOf(client.publish("orders:7", order)).toEqualTypeOf<Promise<Receipt>>();
  expectTypeOf(client.subscribe("orders:7").publish).parameter(0).toEqualTypeOf<Order>();
});

test("history has the type of the channel", () => {
  expectTypeOf(client.history("orders:7")).toEqualTypeOf<Promise<HistoryPage<Order>>>();
});

test("any channel may be followed and published to, but its data must be looked at before it is used", () => {
  expectTypeOf(client.subscribe(name)).toEqualTypeOf<Subscription<unknown>>();
  expectTypeOf(client.publish(name, { anything: true })).toEqualTypeOf<Promise<Receipt>>();
});
