/** What is published and sent: in order and once each, through whatever happens to the connection. */

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { TestServer } from "../../../testing/server.js";
import { ClosedError, PublishError, QueueFullError, TimeoutError, TooLargeError } from "../src/index.js";
import type { Client } from "../src/types.js";
import { losingAnswers } from "./proxies.js";
import { connected, fresh, open, until } from "./waiting.js";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start({ VAGUS_LIMITS__HISTORY: "5000" });
});
afterAll(() => server.close());

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

async function contentsOf(client: Client, channel: string): Promise<unknown[]> {
  return (await client.history(channel, { limit: 5000 })).messages.map(({ data }) => data);
}

test("1,000 messages said before the server is there are made in order, once each", async () => {
  const own = await TestServer.start({ VAGUS_LIMITS__HISTORY: "5000" });
  onTestFinished(() => own.close());
  const client = await connected(own.url);
  await own.end("SIGKILL");
  await until(() => client.status.get().state !== "connected");
  const channel = fresh("kept");
  const receipts = numbers(1000).map((number) => client.publish(channel, number));
  expect(client.figures.get().queued).toBe(1000);
  await own.begin();
  client.retry();
  const offsets = (await Promise.all(receipts)).map(({ offset }) => offset);
  expect(offsets).toEqual(numbers(1000).map((number) => number + 1));
  expect(await contentsOf(client, channel)).toEqual(numbers(1000));
});

test("messages are made once each although answers are lost with the connection", async () => {
  const proxy = await losingAnswers(server.port);
  const client = await connected(proxy.url, { retry: { minDelay: 5, maxDelay: 20 } });
  const channel = fresh("kept");
  const receipts: Promise<unknown>[] = [];
  for (const round of numbers(10)) {
    await client.ready();
    proxy.loseAnswers();
    for (const number of numbers(50)) receipts.push(client.publish(channel, round * 50 + number));
    await until(() => client.figures.get().reconnections > round);
  }
  const repeated = (await Promise.all(receipts)).filter(
    (receipt) => (receipt as { repeated: boolean }).repeated,
  );
  expect(await contentsOf(client, channel)).toEqual(numbers(500));
  expect(repeated.length).toBeGreaterThan(0);
});

test("publications and events keep their order among each other", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  const mark = fresh("mark");
  const said = [
    client.publish(channel, 1),
    client.send("note", `${mark} 1`),
    client.publish(channel, 2),
    client.send("note", `${mark} 2`),
  ];
  await Promise.all(said);
  expect(await contentsOf(client, channel)).toEqual([1, 2]);
  const notes = (await client.call("notes")) as string[];
  expect(notes.filter((note) => note.startsWith(mark))).toEqual([`${mark} 1`, `${mark} 2`]);
});

test("a message that is refused does not hold up the next", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  const said = [client.publish(channel, 1), client.publish("closed:x", 2), client.publish(channel, 3)];
  const [first, refused, third] = await Promise.allSettled(said);
  expect(first).toMatchObject({ status: "fulfilled", value: { offset: 1 } });
  expect(refused).toMatchObject({ reason: { name: "PublishError", code: 103, temporary: false } });
  expect(third).toMatchObject({ status: "fulfilled", value: { offset: 2 } });
});

test("a message that spoils its whole batch is refused alone", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  const tags = Object.fromEntries(numbers(40).map((number) => [`tag${number}`, "x"]));
  const said = [client.publish(channel, 1), client.publish(channel, 2, { tags }), client.publish(channel, 3)];
  const [, refused] = await Promise.allSettled(said);
  expect(refused).toMatchObject({ reason: expect.any(PublishError) });
  expect(await contentsOf(client, channel)).toEqual([1, 3]);
});

test("a rate limit delays messages and loses none", async () => {
  const own = await TestServer.start({
    VAGUS_LIMITS__COMMANDS__PER_S: "200",
    VAGUS_LIMITS__COMMANDS__BURST: "20",
  });
  onTestFinished(() => own.close());
  const client = await connected(own.url);
  const channel = fresh("kept");
  await Promise.all(numbers(60).map((number) => client.publish(channel, number)));
  const reader = await connected(own.url); // the rate is that of each client
  const { messages } = await reader.history(channel, { limit: 100 });
  expect(messages.map(({ data }) => data)).toEqual(numbers(60));
});

test("a key names a publication: said twice, it is made once", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  const first = await client.publish(channel, "a", { key: "order-7" });
  const second = await client.publish(channel, "a", { key: "order-7" });
  expect(first).toMatchObject({ offset: 1, repeated: false });
  expect(second).toMatchObject({ offset: 1, repeated: true });
});

test("what is sent is what it was when it was said", async () => {
  const client = open(server.url);
  const channel = fresh("kept");
  const order = { count: 1 };
  const said = client.publish(channel, order);
  order.count = 2;
  client.connect();
  await said;
  expect(await contentsOf(client, channel)).toEqual([{ count: 1 }]);
});

test("one message too many is refused", async () => {
  const client = open(server.url, { queue: { size: 2 } });
  const waiting = [client.publish("plain:a", 1), client.send("note", 2)];
  await expect(client.publish("plain:a", 3)).rejects.toThrow(QueueFullError);
  client.close();
  for (const result of await Promise.allSettled(waiting))
    expect(result).toMatchObject({ reason: expect.any(ClosedError) });
});

test("or pushes the oldest out, if that is wanted", async () => {
  const client = open(server.url, { queue: { size: 2, whenFull: "drop-oldest" } });
  const channel = fresh("kept");
  const [oldest, ...others] = numbers(3).map((number) => client.publish(channel, number));
  await expect(oldest).rejects.toThrow(QueueFullError);
  client.connect();
  await Promise.all(others);
  expect(await contentsOf(client, channel)).toEqual([1, 2]);
});

test("waiting ends with the message's time or its signal, and what is left is sent", async () => {
  const client = open(server.url);
  const channel = fresh("kept");
  const controller = new AbortController();
  const expired = client.publish(channel, 1, { timeout: 1 });
  const aborted = client.publish(channel, 2, { signal: controller.signal });
  const sent = client.publish(channel, 3);
  controller.abort(new Error("changed my mind"));
  await expect(aborted).rejects.toThrow("changed my mind");
  await expect(expired).rejects.toThrow(TimeoutError);
  client.connect();
  await sent;
  expect(await contentsOf(client, channel)).toEqual([3]);
});

test("what the server would not take is refused at once", async () => {
  const client = open(server.url);
  await expect(client.publish("plain:a", "x".repeat(60_000))).rejects.toThrow(TooLargeError);
  await expect(client.publish("plain:a", undefined)).rejects.toThrow(TypeError);
  await expect(client.publish("plain:a", 1, { key: "k".repeat(65) })).rejects.toThrow(RangeError);
  await expect(client.publish("plain:a", 1n)).rejects.toThrow(TypeError);
});

test("large messages go too, a few at a time", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  const pad = "ä".repeat(20_000);
  await Promise.all(numbers(8).map((number) => client.publish(channel, { number, pad })));
  const { messages } = await client.history(channel, { limit: 20 });
  expect(messages.map(({ data }) => (data as { number: number }).number)).toEqual(numbers(8));
});
