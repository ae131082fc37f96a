/** Tabs that share a connection: what each of them sees, and what the server sees of them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { TestServer } from "../../../testing/server.js";
import { openHost, optionsFor, Tab, WISH } from "./tabs.js";

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

/** So many connected tabs of one host. */
async function tabs<N extends 1 | 2 | 3>(count: N, options = optionsFor(server.webSocketUrl)) {
  const host = openHost();
  const opened = Array.from({ length: count }, () => Tab.of(host, options).connect());
  return (await Promise.all(opened)) as unknown as N extends 1
    ? [Tab]
    : N extends 2
      ? [Tab, Tab]
      : [Tab, Tab, Tab];
}

const numbers = (count: number): { n: number }[] => Array.from({ length: count }, (_, n) => ({ n }));

describe("one connection", () => {
  test("all tabs are one client of the server, and know it as shared", async () => {
    const [one, other] = await tabs(2);
    expect(one.status?.client).toBe(other.status?.client);
    expect(one.status?.transport).toBe("shared");
  });

  test("a call is answered to the tab that made it", async () => {
    const [one, other] = await tabs(2);
    const answers = await Promise.all([
      one.rpc("echo", "one"),
      other.rpc("echo", "other"),
      one.rpc("add", [1, 2]),
    ]);
    expect(answers).toEqual(["one", "other", 3]);
  });

  test("a refusal keeps its number", async () => {
    const [one] = await tabs(1);
    await expect(one.rpc("fail", { code: 4242, message: "no" })).rejects.toMatchObject({
      code: 4242,
      message: "no",
    });
  });

  test("what an object's toJSON says is what arrives", async () => {
    const [one] = await tabs(1);
    class Amount {
      toJSON(): string {
        return "12.50";
      }
    }
    expect(await one.rpc("echo", { amount: new Amount() })).toEqual({ amount: "12.50" });
  });

  test("a message for the connection reaches every tab", async () => {
    const [one, other] = await tabs(2);
    await one.rpc("tell", { hello: 1 });
    await expect.poll(() => other.messages).toEqual([{ hello: 1 }]);
  });
});

describe("channels", () => {
  test("each tab hears each publication once and in order", async () => {
    const heard = (await tabs(3)).map((tab) => ({ tab, of: tab.follow("plain:order") }));
    await Promise.all(heard.map(({ of }) => of.subscribed()));
    await heard[0]?.tab.rpc("burst", { channel: "plain:order", count: 2_000 });
    for (const { of } of heard) expect(await of.has(2_000)).toEqual(numbers(2_000));
  });

  test("the server has one subscription, until the last tab leaves", async () => {
    const [one, other, observer] = await tabs(3);
    const first = one.follow("plain:counted");
    const second = other.follow("plain:counted");
    await Promise.all([first.subscribed(), second.subscribed()]);
    const stats = () =>
      observer.connection.request({ kind: "presenceStats", channel: "plain:counted" }, DEADLINE_MS);
    expect(await stats()).toEqual({ clients: 1, users: 1 });
    first.following.end();
    await observer.publish("plain:counted", "still");
    expect(await second.has(1)).toEqual(["still"]);
    second.following.end();
    await expect.poll(stats).toEqual({ clients: 0, users: 0 });
  });

  test("a tab that ends a channel hears no more of it", async () => {
    const [one, other] = await tabs(2);
    const [ended, kept] = [one.follow("plain:ended"), other.follow("plain:ended")];
    await Promise.all([ended.subscribed(), kept.subscribed()]);
    ended.following.end();
    await one.publish("plain:ended", 1);
    await kept.has(1);
    await one.rpc("echo"); // whatever went to that tab before is there by now
    expect(ended.data).toEqual([]);
  });

  test("a tab that begins at a position gets what came since, and the others get nothing twice", async () => {
    const [early, late] = await tabs(2);
    const first = early.follow("kept:since");
    const { position } = await first.subscribed();
    await early.rpc("burst", { channel: "kept:since", count: 20 });
    await first.has(20);
    const second = late.follow("kept:since", { since: position });
    await early.rpc("burst", { channel: "kept:since", count: 20 });
    expect(await second.has(40)).toEqual([...numbers(20), ...numbers(20)]);
    expect(await first.has(40)).toEqual([...numbers(20), ...numbers(20)]);
  });

  test("a tab that goes back to a position gets what came since once more, and the others do not", async () => {
    const [one, other] = await tabs(2);
    const [back, stays] = [one.follow("kept:back"), other.follow("kept:back")];
    const [{ position }] = await Promise.all([back.subscribed(), stays.subscribed()]);
    await one.rpc("burst", { channel: "kept:back", count: 20 });
    await Promise.all([back.has(20), stays.has(20)]);
    back.following.change({ ...WISH, since: position });
    expect(await back.has(40)).toEqual([...numbers(20), ...numbers(20)]);
    await other.publish("kept:back", "last");
    expect(await stays.has(21)).toEqual([...numbers(20), "last"]);
  });

  test("tabs with different conditions on tags get each what they asked for", async () => {
    const [one, other] = await tabs(2);
    const even = one.follow("plain:tags", { tags: { key: "parity", cmp: "eq", val: "even" } });
    const all = other.follow("plain:tags");
    await Promise.all([even.subscribed(), all.subscribed()]);
    const publications = ["odd", "even", "odd", "even"].map((parity, n) => ({
      channel: "plain:tags",
      data: n,
      key: `tags-${n}`,
      tags: { parity },
    }));
    await one.rpc("vagus.publish", { publications });
    expect(await all.has(4)).toEqual([0, 1, 2, 3]);
    expect(await even.has(2)).toEqual([1, 3]);
  });

  test("a refused channel tells the tab that wanted it", async () => {
    const [one] = await tabs(1);
    const closed = one.follow("closed:door");
    await expect.poll(() => closed.statuses.at(-1)).toMatchObject({ state: "unsubscribed", code: 103 });
  });
});

describe("coming and going", () => {
  test("the connection ends with its last tab", async () => {
    const [one, other] = await tabs(2);
    const [observer] = await tabs(1);
    one.follow("plain:going");
    await one.rpc("echo");
    const stats = () =>
      observer.connection.request({ kind: "presenceStats", channel: "plain:going" }, DEADLINE_MS);
    one.connection.close();
    other.connection.close();
    await expect.poll(stats).toEqual({ clients: 0, users: 0 });
  });

  test("a tab that disconnects leaves the others connected, and goes on where it was", async () => {
    const [away, stays] = await tabs(2);
    const heard = away.follow("kept:away");
    await heard.subscribed();
    await stays.publish("kept:away", 1);
    await heard.has(1);
    away.connection.disconnect();
    expect(away.status?.state).toBe("disconnected");
    await stays.publish("kept:away", 2);
    expect(stays.status?.state).toBe("connected");
    await away.connect();
    expect(await heard.has(2)).toEqual([1, 2]);
  });

  test("a lost connection is made again once, and no tab misses anything", async () => {
    const [one, other] = await tabs(2);
    const heard = [one.follow("kept:lost"), other.follow("kept:lost")];
    await Promise.all(heard.map((of) => of.subscribed()));
    const [observer] = await tabs(1);
    await observer.rpc("disconnect", { client: one.status?.client });
    await observer.rpc("burst", { channel: "kept:lost", count: 50 });
    for (const of of heard) expect(await of.has(50)).toEqual(numbers(50));
    await Promise.all([one.connected(), other.connected()]);
    expect(one.status?.client).toBe(other.status?.client);
  });
});
