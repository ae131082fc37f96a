/** What the Connections page reckons without a browser: its live view, its address, its lists, its words. */

import { describe, expect, test } from "vitest";
import { globOf, withoutRepeated } from "../src/pages/connections/asking.js";
import { conditionOf } from "../src/pages/connections/condition.js";
import { connectionsSearch } from "../src/pages/connections/search.js";
import { isSortedBy, nextSort } from "../src/pages/connections/sorting.js";
import { inOrder } from "../src/pages/connections/steady.js";
import type { Connected, Look, Node } from "../src/pages/connections/values.js";
import { lookOf, Watch } from "../src/pages/connections/watch.js";
import {
  dialectText,
  fateText,
  partingOf,
  rolesText,
  transportText,
} from "../src/pages/connections/words.js";

const NODE: Node = {
  id: "a",
  name: "hub-a",
  version: "1",
  startedAt: 0,
  uptimeSeconds: 1,
  clients: 1,
  users: 1,
  channels: 1,
  subscriptions: 1,
  cpuPercent: 5,
  memoryBytes: 1,
  loopLagMs: { median: 0, highest: 1 },
  messagesInPerSecond: 0,
  messagesOutPerSecond: 0,
  queueBytes: 0,
  slowClients: 0,
  closedSlow: 0,
  dropped: 0,
  broker: "ok",
  messagesIn: 0,
  messagesOut: 0,
  bytesIn: 0,
  brokerLagMs: 0,
  store: "ok",
  draining: false,
};

function lookAt(at: number, ...nodes: readonly Node[]): Look {
  const totals = { ...NODE, clients: at };
  return { at, nodes, totals, coverage: { nodes: nodes.length, answered: nodes.length } };
}

describe("the live view", () => {
  test("takes a look once, should it come again", () => {
    const watch = new Watch();
    watch.take(lookAt(1_000, NODE));
    watch.pause(1);
    watch.take(lookAt(1_000, NODE));
    expect(watch.get().waiting).toBe(0);
  });

  test("goes on where another node tells, whose clock is an hour behind", () => {
    const watch = new Watch();
    watch.take(lookAt(3_602_000, NODE, { ...NODE, id: "b", name: "hub-b" }));
    watch.take(lookAt(2_000, NODE));
    watch.take(lookAt(4_000, NODE));
    expect(watch.get().nodes.map(({ node }) => node.id)).toEqual(["a"]);
    expect(watch.tracksOf("a").cpu.at).toEqual([2_000, 4_000]);
  });

  test("counts what comes while it is paused, and shows all of it afterwards", () => {
    const watch = new Watch();
    watch.take(lookAt(1_000, NODE));
    watch.pause(1);
    watch.take(lookAt(3_000, NODE));
    watch.take(lookAt(5_000, NODE));
    expect(watch.get()).toMatchObject({ waiting: 2, look: { at: 1_000 } });
    watch.resume();
    expect(watch.get()).toMatchObject({ waiting: 0, look: { at: 5_000 } });
    expect(watch.tracksOf("a").cpu.at).toEqual([1_000, 3_000, 5_000]);
  });

  test("keeps a node that does not answer for a minute, and then forgets it", () => {
    const watch = new Watch();
    const other = { ...NODE, id: "b", name: "hub-b" };
    watch.take(lookAt(1_000, NODE, other));
    watch.take(lookAt(3_000, NODE));
    expect(watch.get().nodes.map(({ node, at }) => [node.id, at])).toEqual([
      ["a", 3_000],
      ["b", 1_000],
    ]);
    watch.take(lookAt(62_000, NODE));
    expect(watch.get().nodes.map(({ node }) => node.id)).toEqual(["a"]);
  });

  test("takes nothing from another event", () => {
    expect(lookOf({ type: "Other", payload: {} })).toBeUndefined();
    expect(lookOf("text")).toBeUndefined();
    expect(lookOf(null)).toBeUndefined();
  });
});

test("an address keeps what differs from the usual and is sound", () => {
  expect(connectionsSearch({ view: "clients", user: 42, slow: 1, paused: "1", sort: "-queueBytes" })).toEqual(
    {
      view: "clients",
      user: "42",
      slow: 1,
      paused: 1,
      sort: "-queueBytes",
    },
  );
  expect(connectionsSearch({ view: "nodes", user: "", slow: 0, open: {}, more: "x" })).toEqual({});
  expect(connectionsSearch({ view: "__proto__" })).toEqual({});
});

test("a heading sorts numbers from the highest, words from A, and turns when it is pressed again", () => {
  expect(nextSort("", "channels", true)).toBe("-channels");
  expect(nextSort("-channels", "channels", true)).toBe("channels");
  expect(nextSort("-channels", "user", false)).toBe("user");
  expect(isSortedBy("-user", "user")).toBe("descending");
  expect(isSortedBy("user", "address")).toBeUndefined();
});

test("somebody who moved between two pages of the list is in it once", () => {
  const client = (id: string): Connected => ({ id }) as Connected;
  const page = { total: 3, cursor: null, coverage: { nodes: 1, answered: 1 } };
  const pages = [
    { ...page, clients: [client("a"), client("b")] },
    { ...page, clients: [client("b"), client("c")] },
  ];
  expect(withoutRepeated(pages).map(({ id }) => id)).toEqual(["a", "b", "c"]);
});

test("a few letters mean whatever begins with them", () => {
  expect(globOf("ad")).toBe("ad*");
  expect(globOf("*da")).toBe("*da");
  expect(globOf(undefined)).toBeUndefined();
});

test("the worst that is wrong with a node is what is said of it", () => {
  expect(conditionOf(NODE).tone).toBe("good");
  expect(conditionOf({ ...NODE, cpuPercent: 99 }).word).toBe("Busy");
  expect(conditionOf({ ...NODE, cpuPercent: 99, broker: "failed" }).word).toBe("Broker away");
  expect(conditionOf(NODE, true).tone).toBe("unknown");
});

test("what becomes of a slow client is said by the rules of its channels", () => {
  expect(fateText({ disconnect: 3, "keep-latest": 1 }, 1_048_576)).toBe(
    "When 1 MiB wait: it is closed as slow (3008); it reconnects, and recovers where channels keep history; " +
      "it gets only the newest message of 1 channel and stays.",
  );
  expect(fateText({}, 1_024)).toContain("closed as slow");
});

test("what has one name twice is called by it once", () => {
  expect(rolesText("admin", ["admin"])).toBe("");
  expect(rolesText("admin", ["admin", "auditor"])).toBe("admin, auditor");
  expect(rolesText("ada", ["admin"])).toBe("admin");
  expect(transportText("eventsource", "eventsource")).toBe("");
  expect(transportText("socketio", "websocket")).toBe("websocket");
});

test("who disconnects a client of Socket.IO is not told that it hears why", () => {
  expect(partingOf("socketio").reason).toContain("not told why");
  expect(partingOf("").reason).toContain("Socket.IO");
  for (const dialect of ["centrifuge-json", "signalr-messagepack"])
    expect(partingOf(dialect).reason).toBe("The client is told, and so is the log.");
  expect(partingOf("eventsource").reason).toContain("event named disconnect");
});

test("dialects are called as people know them", () => {
  expect(dialectText("signalr-json")).toBe("SignalR JSON");
  expect(dialectText("something-new")).toBe("something-new");
});

describe("rows whose order is held", () => {
  const rows = (...names: readonly string[]) => names.map((name) => ({ name }));
  const keyOf = ({ name }: { readonly name: string }): string => name;

  test("stay where they were, without those that left, and with new ones at the end", () => {
    const held = inOrder(["c", "a", "b"], rows("new", "b", "c"), keyOf);
    expect(held.map(keyOf)).toEqual(["c", "b", "new"]);
  });

  test("are the newest ones, whatever they were when the order was taken", () => {
    const newest = rows("a", "b");
    expect(inOrder(["b", "a"], newest, keyOf)[0]).toBe(newest[1]);
  });

  test("are the same array where nothing would move", () => {
    const newest = rows("a", "b", "new");
    expect(inOrder(["a", "gone", "b"], newest, keyOf)).toBe(newest);
  });
});
