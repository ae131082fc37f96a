/** What a call's name says about its request and result. */

import type { Client, Json, RequestOf, ResultOf } from "@vagus/client";
import { expectTypeOf, test } from "vitest";
import type { Order } from "./declared.js";

declare const client: Client;
declare const name: string;

test("a declared call has its request and its result", () => {
  expectTypeOf<ResultOf<"now">>().toEqualTypeOf<string>();
  expectTypeOf<RequestOf<"now">>().toEqualTypeOf<undefined>();
  expectTypeOf(client.call("now")).toEqualTypeOf<Promise<string>>();
});

test("a name that a declared pattern matches has the types of the pattern", () => {
  expectTypeOf<RequestOf<"orders.close">>().toEqualTypeOf<{ readonly id: number }>();
  expectTypeOf(client.call("orders.close", { id: 7 })).toEqualTypeOf<Promise<Order>>();
});

test("the result of a call that nobody declared is unknown", () => {
  expectTypeOf(client.call("undeclared", { id: 7 })).toEqualTypeOf<Promise<unknown>>();
  expectTypeOf(client.call(name)).toEqualTypeOf<Promise<unknown>>();
});

test("an event carries what JSON can hold", () => {
  expectTypeOf(client.send).parameter(1).toEqualTypeOf<Json | undefined>();
});
