/** Following channels: views that share them, at their own pace, through interruptions. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { TestServer } from "../../../testing/server.js";
import type { Client, Message } from "../src/types.js";
import { withoutWebSockets } from "./proxies.js";
import { connected, fresh, heardBy, isFollowing, open, until } from "./waiting.js";

let server: TestServer;
let publisher: Client;
beforeAll(async () => {
  server = await TestServer.start({ VAGUS_LIMITS__HISTORY: "5000" });
  const { createClient } = await import("../src/index.js");
  publisher = createClient({ url: server.url });
  publisher.connect();
});
afterAll(async () => {
  publisher.close();
  await server.close();
});

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);
const burst = (channel: string, count: number, perS = 0): Promise<unknown> =>
  publisher.call("burst", { channel, count, per_s: perS }, { timeout: DEADLINE_MS });
const cut = (client: Client): Promise<unknown> =>
  publisher.call("disconnect", { client: client.status.get().client });

describe("a view", () => {
  test("hands over each message in order, without loss or repetition", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 20 });
    const heard = heardBy(view) as { n: number }[];
    await until(() => isFollowing(view));
    await burst(view.channel, 3000);
    await until(() => heard.length >= 3000);
    expect(heard.map(({ n }) => n)).toEqual(numbers(3000));
  });

  test("tells at its own pace: many messages, few tellings", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 500, keep: 10 });
    let told = 0;
    view.messages.subscribe(() => {
      told += 1;
    });
    await until(() => isFollowing(view));
    await burst(view.channel, 2000);
    const isLast = (message: Message | undefined): boolean => (message?.data as { n: number })?.n === 1999;
    await until(() => isLast(view.latest.get()));
    expect(view.messages.get().map(({ data }) => (data as { n: number }).n)).toEqual(
      numbers(10).map((number) => 1990 + number),
    );
    const { told: counted, saved, dropped, received, held } = client.figures.get();
    expect(told).toBe(counted);
    expect(told + saved).toBe(2000);
    expect(told).toBeLessThan(200);
    expect(dropped).toBeGreaterThan(0);
    expect([received, held]).toEqual([2000, 10]);
  });

  test("keeps its array until it tells", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 0 });
    await until(() => isFollowing(view));
    const before = view.messages.get();
    expect(view.messages.get()).toBe(before);
    await publisher.publish(view.channel, 1);
    await until(() => view.latest.get());
    const after = view.messages.get();
    expect(after).not.toBe(before);
    expect(view.messages.get()).toBe(after);
  });

  test("can be walked through, and the walk ends when it is closed", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 10 });
    await until(() => isFollowing(view));
    const heard: unknown[] = [];
    const walk = (async () => {
      for await (const { data } of view) heard.push(data);
    })();
    for (const number of numbers(5)) await publisher.publish(view.channel, number);
    await until(() => heard.length === 5);
    view.close();
    await walk;
    expect(heard).toEqual(numbers(5));
  });

  test("counts what a slow walk misses as dropped", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 0, keep: 5 });
    await until(() => isFollowing(view));
    const walk = view[Symbol.asyncIterator]();
    heardBy(view);
    for (const number of numbers(20)) await publisher.publish(view.channel, number);
    await until(() => view.latest.get()?.data === 19);
    expect((await walk.next()).value).toMatchObject({ data: 15 });
    expect(client.figures.get().dropped).toBe(15);
  });

  test("goes on when a listener throws", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { throttle: 0 });
    const thrown: unknown[] = [];
    const caught = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error));
    onTestFinished(() => {
      process.removeAllListeners("uncaughtException");
      for (const listener of caught) process.on("uncaughtException", listener);
    });
    view.listen(() => {
      throw new Error("a mistake of the page");
    });
    const heard = heardBy(view);
    await until(() => isFollowing(view));
    await publisher.publish(view.channel, 1);
    await publisher.publish(view.channel, 2);
    await until(() => heard.length === 2);
    expect(thrown).toHaveLength(2);
  });

  test("is not slowed down below what the person asked for", async () => {
    const client = await connected(server.url, { storage: null });
    const view = client.subscribe(fresh("plain"), { throttle: 0 });
    client.preferences.set({ refreshEvery: 60_000 });
    await until(() => isFollowing(view));
    let told = 0;
    view.messages.subscribe(() => {
      told += 1;
    });
    await burst(view.channel, 50);
    await until(() => client.figures.get().received === 50);
    expect(told).toBe(1);
  });

  test.each([{ throttle: -1 }, { keep: 1.5 }, { keep: 1e9 }])("refuses %j", (options) => {
    expect(() => open(server.url).subscribe("plain:a", options)).toThrow(RangeError);
  });
});

describe("what is asked of the server", () => {
  test("is no more than the newest message an interval, where that is all that anybody wants", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("plain"), { deliver: "latest", throttle: 200 });
    await until(() => isFollowing(view));
    await burst(view.channel, 2000);
    await until(() => (view.latest.get()?.data as { n: number } | undefined)?.n === 1999);
    expect(client.figures.get().received).toBeLessThan(100);
  });

  test("becomes everything when a view comes that wants it, without a gap or a repetition for the other", async () => {
    const client = await connected(server.url);
    const channel = fresh("kept");
    const one = client.subscribe(channel, { throttle: 0, members: true });
    const first = heardBy(one) as { n: number }[];
    await until(() => isFollowing(one));
    const busy = burst(channel, 600, 600);
    await until(() => first.length > 20);
    const early = client.subscribe(channel, {
      throttle: 0,
      since: { offset: 5, epoch: await epochOf(channel) },
    });
    const second = heardBy(early) as { n: number }[];
    await busy;
    await until(() => first.length >= 600 && second.length >= 595);
    expect(first.map(({ n }) => n)).toEqual(numbers(600));
    expect(second.map(({ n }) => n)).toEqual(numbers(595).map((number) => number + 5));
  });

  test("leaves no gap to those who come from earlier while messages are on their way", async () => {
    const client = await connected(server.url);
    const channel = fresh("kept");
    const epoch = await epochOf(channel);
    const one = client.subscribe(channel, { throttle: 0 });
    const first = heardBy(one);
    const later = new Map<number, { n: number }[]>();
    one.listen(() => {
      if (first.length !== 50) return; // in the middle of what came in one go
      for (const offset of [5, 20]) {
        const view = client.subscribe(channel, { throttle: 0, since: { offset, epoch } });
        later.set(offset, heardBy(view) as { n: number }[]);
      }
    });
    await until(() => isFollowing(one));
    await burst(channel, 600);
    await until(() => [...later.values()].every((heard) => heard.at(-1)?.n === 599));
    for (const [offset, heard] of later) {
      expect(heard.map(({ n }) => n)).toEqual(numbers(600).slice(offset));
    }
    expect(first).toHaveLength(600);
  });

  test("may change over HTTP streaming too, where commands could overtake each other", async () => {
    const client = await connected(await withoutWebSockets(server.url));
    const channel = fresh("kept");
    const latest = client.subscribe(channel, { deliver: "latest", throttle: 500 });
    await until(() => isFollowing(latest));
    const busy = burst(channel, 300, 600);
    const all = client.subscribe(channel, { throttle: 0 });
    const heard = heardBy(all) as { n: number }[];
    await busy;
    await until(() => heard.at(-1)?.n === 299);
    const first = heard[0]?.n ?? 0;
    expect(heard.map(({ n }) => n)).toEqual(numbers(300 - first).map((number) => number + first));
  });

  test("begins for each view at its own position", async () => {
    const client = await connected(server.url);
    const channel = fresh("kept");
    await burst(channel, 10);
    const epoch = await epochOf(channel);
    const views = [3, 7, 1].map((offset) =>
      client.subscribe(channel, { throttle: 0, since: { offset, epoch } }),
    );
    const heard = views.map((view) => heardBy(view) as { n: number }[]);
    await until(() => heard.every((list) => list.at(-1)?.n === 9));
    const late = client.subscribe(channel, { throttle: 0, since: { offset: 8, epoch } });
    const lateHeard = heardBy(late) as { n: number }[];
    await until(() => lateHeard.at(-1)?.n === 9);
    expect([...heard, lateHeard].map((list) => list.map(({ n }) => n))).toEqual([
      [3, 4, 5, 6, 7, 8, 9],
      [7, 8, 9],
      [1, 2, 3, 4, 5, 6, 7, 8, 9],
      [8, 9],
    ]);
  });

  test("from a position of another history tells only that view that something is missing", async () => {
    const client = await connected(server.url);
    const channel = fresh("kept");
    const one = client.subscribe(channel);
    await until(() => isFollowing(one));
    const other = client.subscribe(channel, { since: { offset: 3, epoch: "another" } });
    expect([one.status.get().recovered, other.status.get().recovered]).toEqual([null, false]);
  });

  test("goes back to the newest only when the view that wanted everything has left", async () => {
    const client = await connected(server.url);
    const channel = fresh("kept");
    const latest = client.subscribe(channel, { deliver: "latest", throttle: 500 });
    const all = client.subscribe(channel, { throttle: 0 });
    const receivedOf = async (count: number): Promise<number> => {
      const before = client.figures.get().received;
      await burst(channel, count);
      await until(() => (latest.latest.get()?.data as { n: number } | undefined)?.n === count - 1);
      return client.figures.get().received - before;
    };
    await until(() => isFollowing(all));
    expect(await receivedOf(400)).toBe(400);
    all.close();
    let count = 500;
    while ((await receivedOf(count)) > 100) count += 1;
  });

  test("is one subscription, however many views there are, and none a while after the last", async () => {
    const client = await connected(server.url);
    const channel = fresh("plain");
    const views = [client.subscribe(channel), client.subscribe(channel)];
    await until(() => views.every(isFollowing));
    expect((await publisher.presenceStats(channel)).clients).toBe(1);
    expect(client.figures.get().subscriptions).toBe(1);
    for (const view of views) view.close();
    expect(client.subscriptions.get().size).toBe(0);
    await until(() => client.figures.get().subscriptions === 0);
    expect((await publisher.presenceStats(channel)).clients).toBe(0);
  });

  test("goes on where a view is replaced by another at once", async () => {
    const client = await connected(server.url);
    const channel = fresh("plain");
    const first = client.subscribe(channel);
    await until(() => isFollowing(first));
    first.close();
    expect(isFollowing(client.subscribe(channel))).toBe(true);
  });

  test("holds each view to its own filter", async () => {
    const client = await connected(server.url);
    const channel = fresh("plain");
    const even = client.subscribe(channel, { throttle: 0, tags: ["parity", "eq", "even"] });
    const odd = client.subscribe(channel, { throttle: 0, tags: { not: ["parity", "eq", "even"] } });
    const [evens, odds] = [heardBy(even), heardBy(odd)];
    await until(() => isFollowing(even) && isFollowing(odd));
    for (const number of numbers(6)) {
      await publisher.publish(channel, number, { tags: { parity: number % 2 ? "odd" : "even" } });
    }
    await until(() => evens.length + odds.length === 6);
    expect([evens, odds]).toEqual([
      [0, 2, 4],
      [1, 3, 5],
    ]);
  });

  test("leaves each filter its own newest message", async () => {
    const client = await connected(server.url);
    const channel = fresh("plain");
    const options = { deliver: "latest", throttle: 300 } as const;
    const even = client.subscribe(channel, { ...options, tags: ["parity", "eq", "even"] });
    const odd = client.subscribe(channel, { ...options, tags: ["parity", "eq", "odd"] });
    await until(() => isFollowing(even) && isFollowing(odd));
    await Promise.all(
      numbers(10).map((number) =>
        publisher.publish(channel, number, { tags: { parity: number % 2 ? "odd" : "even" } }),
      ),
    );
    await until(() => even.latest.get()?.data === 8 && odd.latest.get()?.data === 9);
  });

  test("are differences, where they are wanted, and data arrive whole", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("delta"), { throttle: 0, delta: true });
    const heard = heardBy(view);
    await until(() => isFollowing(view));
    const said = numbers(10).map((number) => ({
      number,
      text: "the same in each, and long enough to be worth it",
    }));
    for (const data of said) await publisher.publish(view.channel, data);
    await until(() => heard.length === said.length);
    expect(heard).toEqual(said);
  });
});

describe("after an interruption", () => {
  test("what was missed comes, in order, without a gap or a repetition", async () => {
    const client = await connected(server.url);
    const view = client.subscribe(fresh("kept"), { throttle: 0 });
    const heard = heardBy(view) as { n: number }[];
    await until(() => isFollowing(view));
    const busy = burst(view.channel, 1500, 1500);
    for (const round of numbers(3)) {
      await until(() => client.status.get().state === "connected");
      await cut(client);
      await until(() => client.figures.get().reconnections > round);
    }
    await busy;
    await until(() => heard.length >= 1500);
    expect(heard.map(({ n }) => n)).toEqual(numbers(1500));
    expect(view.status.get()).toMatchObject({ recovered: true });
  });

  test.each(["short", "plain"])("a %s history says that something is missing", async (prefix) => {
    const client = await connected(server.url, { retry: { minDelay: 60_000, maxDelay: 60_000 } });
    const view = client.subscribe(fresh(prefix), { throttle: 0 });
    await until(() => isFollowing(view));
    expect(view.status.get().recovered).toBeNull();
    await publisher.publish(view.channel, "before");
    await until(() => view.latest.get());
    await cut(client);
    await until(() => client.status.get().state === "connecting");
    await burst(view.channel, 50);
    client.retry();
    await until(() => view.status.get().recovered === false);
  });

  test("by a new start of the server, a view goes on and says that something is missing", async () => {
    const own = await TestServer.start();
    onTestFinished(() => own.close());
    const client = await connected(own.url);
    const view = client.subscribe("kept:a", { throttle: 0 });
    const heard = heardBy(view);
    await client.publish(view.channel, "before");
    await until(() => heard.length === 1);
    await own.restart("SIGKILL");
    client.retry();
    await until(() => view.status.get().recovered === false && isFollowing(view));
    await client.publish(view.channel, "after");
    await until(() => heard.length === 2);
    expect(heard).toEqual(["before", "after"]);
  });

  test("the last data stay, and say how old they are", async () => {
    const own = await TestServer.start();
    onTestFinished(() => own.close());
    const client = await connected(own.url);
    const view = client.subscribe("plain:a", { throttle: 0, staleAfter: 50 });
    await until(() => isFollowing(view));
    await client.publish(view.channel, "last");
    await until(() => view.latest.get());
    await own.end();
    await until(() => view.status.get().isStale);
    expect(view.latest.get()?.data).toBe("last");
    expect(view.status.get()).toMatchObject({ state: "subscribing", reason: "Waiting for the connection." });
    expect(view.status.get().lastMessageAt).toBe(view.latest.get()?.receivedAt);
  });
});

describe("a channel", () => {
  test("that may not be followed says so, and can be asked for again", async () => {
    const client = await connected(server.url);
    const view = client.subscribe("closed:a");
    await until(() => view.status.get().state === "unsubscribed");
    expect(view.status.get()).toMatchObject({ code: 103, reason: "You may not follow this channel." });
    const again = client.subscribe("closed:a");
    await until(() => again.status.get().state === "unsubscribed");
  });

  test("that is private is followed with its own token", async () => {
    const client = await connected(server.url);
    const asked: string[] = [];
    const view = client.subscribe(`$${fresh("private")}`, {
      throttle: 0,
      getToken: async (channel) => {
        asked.push(channel);
        return (await publisher.call("token", { channel, user: "" })) as string;
      },
    });
    const heard = heardBy(view);
    await until(() => isFollowing(view));
    await publisher.publish(view.channel, 1);
    await until(() => heard.length === 1);
    expect(asked).toEqual([view.channel]);
  });

  test("whose token is refused says why", async () => {
    const client = await connected(server.url);
    const refused = Object.assign(new Error("not for you"), { status: 403 });
    const view = client.subscribe(`$${fresh("private")}`, { getToken: () => Promise.reject(refused) });
    await until(() => view.status.get().state === "unsubscribed");
    expect(view.status.get().reason).toBe("The sign-in was refused: not for you.");
  });

  test("tells who is there, who comes and who goes", async () => {
    const channel = fresh("people");
    const [one, two] = [await connected(server.url), await connected(server.url)];
    const view = one.subscribe(channel, { members: true });
    const other = two.subscribe(channel);
    await until(() => view.members.get().length === 2);
    other.close();
    await until(() => view.members.get().length === 1);
    expect(view.members.get()[0]?.client).toBe(one.status.get().client);
    await cut(one);
    await until(() => view.members.get()[0]?.client === one.status.get().client && isFollowing(view));
  });

  test("is listed while it is followed, with how it does", async () => {
    const client = await connected(server.url);
    const channel = fresh("plain");
    const view = client.subscribe(channel);
    let told = 0;
    client.subscriptions.subscribe(() => {
      told += 1;
    });
    await until(() => client.subscriptions.get().get(channel)?.state === "subscribed");
    view.close();
    expect(client.subscriptions.get().has(channel)).toBe(false);
    expect(told).toBeGreaterThan(0);
  });
});

async function epochOf(channel: string): Promise<string> {
  return (await publisher.history(channel, { limit: 1 })).epoch;
}
