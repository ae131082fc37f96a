/** The shapes of what an application hands in and gets back. */

import type {
  ClientOptions,
  ConnectionStatus,
  Json,
  Store,
  SubscribeOptions,
  TagFilter,
} from "@vagus/client";
import { expectTypeOf, test } from "vitest";

test("a condition on tags is written as a list, and combined", () => {
  expectTypeOf<["parity", "eq", "even"]>().toExtend<TagFilter>();
  expectTypeOf<["size", "gt", 10]>().toExtend<TagFilter>();
  expectTypeOf<["region", "in", ["north", "south"]]>().toExtend<TagFilter>();
  expectTypeOf<{ and: [["a", "exists"], { not: ["b", "eq", "c"] }] }>().toExtend<TagFilter>();
  expectTypeOf<["size", "gt", true]>().not.toExtend<TagFilter>();
  expectTypeOf<["size", "about", "10"]>().not.toExtend<TagFilter>();
});

test("JSON is what JSON can hold", () => {
  expectTypeOf<{ deep: [1, "two", null, { more: true }] }>().toExtend<Json>();
  expectTypeOf<Date>().not.toExtend<Json>();
  expectTypeOf<() => void>().not.toExtend<Json>();
  expectTypeOf<bigint>().not.toExtend<Json>();
  expectTypeOf<undefined>().not.toExtend<Json>();
});

test("every option may be left out", () => {
  expectTypeOf<Record<never, never>>().toExtend<ClientOptions>();
  expectTypeOf<Record<never, never>>().toExtend<SubscribeOptions>();
});

test("the states are these five", () => {
  type States = "connecting" | "connected" | "stale" | "disconnected" | "error";
  expectTypeOf<ConnectionStatus["state"]>().toEqualTypeOf<States>();
});

test("a store fits useSyncExternalStore", () => {
  expectTypeOf<Store<number>["subscribe"]>().toEqualTypeOf<(listener: () => void) => () => void>();
  expectTypeOf<Store<number>["get"]>().toEqualTypeOf<() => number>();
});
