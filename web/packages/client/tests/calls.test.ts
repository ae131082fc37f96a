/** Calls and reading: their results, what they reject with, and how they wait. */

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { TestServer } from "../../../testing/server.js";
import { CallError, ClosedError, ConnectionError, TimeoutError, TooLargeError } from "../src/index.js";
import { connected, fresh, isFollowing, open, until } from "./waiting.js";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

test("a call waits for the connection and resolves with the result", async () => {
  const client = open(server.url);
  const sum = client.call("add", [1, 2, 3]);
  client.connect();
  expect(await sum).toBe(6);
});

test("a refusal has its number, and says whether it may pass", async () => {
  const client = await connected(server.url);
  const failure = client.call("fail", { code: 1234, message: "out of stock", temporary: true });
  await expect(failure).rejects.toThrow(CallError);
  await expect(failure).rejects.toMatchObject({ code: 1234, message: "out of stock", temporary: true });
  await expect(client.call("no such call")).rejects.toMatchObject({ code: 104, temporary: false });
});

test("an answer that is late is a TimeoutError, and the connection goes on", async () => {
  const client = await connected(server.url);
  await expect(client.call("wait", 3, { timeout: 50 })).rejects.toThrow(TimeoutError);
  expect(await client.call("echo", 1)).toBe(1);
});

test("a call may take longer than other requests", async () => {
  const client = await connected(server.url, { timeout: 100 });
  expect(await client.call("wait", 0.4, { timeout: DEADLINE_MS })).toBe("waited");
});

test("a time-out that no timer can count is none", async () => {
  const client = await connected(server.url, { timeout: Number.POSITIVE_INFINITY });
  expect(await client.call("wait", 0.1)).toBe("waited");
  const { offset } = await client.publish(fresh("kept"), 1, { timeout: 2 ** 40 });
  expect(offset).toBe(1);
});

test("a call that is too large for the server is a TooLargeError, and all else goes on", async () => {
  const client = await connected(server.url);
  const view = client.subscribe(fresh("kept"), { throttle: 0 });
  await until(() => isFollowing(view));
  await expect(client.call("echo", "x".repeat(70_000))).rejects.toThrow(TooLargeError);
  await view.publish("after it");
  await until(() => view.latest.get()?.data === "after it");
});

test("half a character costs neither the connection nor the rest of the text", async () => {
  const client = await connected(server.url);
  const cut = ["Well done 👍".slice(0, -1), "\\ud83d", { "\ud83d": "\ude00 \\\\" }];
  const arrived = ["Well done \ufffd", "\\ud83d", { "\ufffd": "\ufffd \\\\" }];
  expect(await client.call("echo", cut)).toEqual(arrived);
  const view = client.subscribe(fresh("kept"), { throttle: 0 });
  await until(() => isFollowing(view));
  await view.publish(cut);
  await until(() => view.latest.get());
  expect(view.latest.get()?.data).toEqual(arrived);
});

test("numbers that the server would close the connection for are refused here", async () => {
  const client = await connected(server.url);
  const half = { offset: 0.5, epoch: "" };
  await expect(client.history("kept:a", { limit: 2.5 })).rejects.toThrow(RangeError);
  await expect(client.history("kept:a", { since: half })).rejects.toThrow(RangeError);
  expect(() => client.subscribe("kept:a", { since: half })).toThrow(RangeError);
  expect(client.status.get().state).toBe("connected");
});

test("what JSON cannot hold is a TypeError", async () => {
  const client = await connected(server.url);
  await expect(client.call("echo", 1n)).rejects.toThrow(TypeError);
});

test("a connection that never comes is a TimeoutError", async () => {
  await expect(open(server.url).call("echo", 1, { timeout: 20 })).rejects.toThrow(TimeoutError);
});

test("aborting rejects with the signal's reason, before and after it was sent", async () => {
  const client = await connected(server.url);
  const reason = new Error("no longer needed");
  const controller = new AbortController();
  const call = client.call("wait", 2, { signal: controller.signal });
  setImmediate(() => controller.abort(reason));
  await expect(call).rejects.toBe(reason);
  await expect(client.call("echo", 1, { signal: controller.signal })).rejects.toBe(reason);
});

test("a call whose connection is lost before the answer rejects, since it may have been carried out", async () => {
  const own = await TestServer.start();
  onTestFinished(() => own.close());
  const client = await connected(own.url);
  const call = client.call("wait", 60);
  const rejected = expect(call).rejects.toThrow(ConnectionError);
  await own.end("SIGKILL");
  await rejected;
});

test("reading is asked for again when the connection is lost", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  await client.publish(channel, "there");
  const other = await connected(server.url);
  const cut = other.call("disconnect", { client: client.status.get().client });
  const pages = await Promise.all(Array.from({ length: 20 }, () => client.history(channel, { limit: 1 })));
  await cut;
  expect(pages.every(({ messages }) => messages[0]?.data === "there")).toBe(true);
});

test("where the connection was given up, a request says so at once", async () => {
  const client = open(server.url, { token: "no.real.token" });
  client.connect();
  await until(() => client.status.get().state === "error");
  await expect(client.call("echo", 1)).rejects.toMatchObject({ name: "ConnectionError", code: 3500 });
});

test("history is read in pages, forwards and backwards", async () => {
  const client = await connected(server.url);
  const channel = fresh("kept");
  for (const data of ["a", "b", "c"]) await client.publish(channel, data, { tags: { letter: data } });
  const first = await client.history(channel, { limit: 2 });
  expect(first.messages.map(({ data, offset, tags }) => [data, offset, tags])).toEqual([
    ["a", 1, { letter: "a" }],
    ["b", 2, { letter: "b" }],
  ]);
  expect(first.offset).toBe(3);
  const next = await client.history(channel, { limit: 2, since: { offset: 2, epoch: first.epoch } });
  expect(next.messages.map(({ data }) => data)).toEqual(["c"]);
  const last = await client.history(channel, { limit: 1, reverse: true });
  expect(last.messages[0]?.data).toBe("c");
});

test("presence tells who is there", async () => {
  const client = await connected(server.url);
  const view = client.subscribe(fresh("plain"));
  await until(() => view.status.get().state === "subscribed");
  expect(await client.presence(view.channel)).toMatchObject([
    { client: client.status.get().client, user: "" },
  ]);
  expect(await client.presenceStats(view.channel)).toEqual({ clients: 1, users: 1 });
});

test("messages for this user alone reach onMessage, until it is ended", async () => {
  const client = await connected(server.url);
  const told: unknown[] = [];
  const stop = client.onMessage((data) => told.push(data));
  await client.call("tell", { hello: "you" });
  await until(() => told.length === 1);
  stop();
  await client.call("tell", "again");
  expect(told).toEqual([{ hello: "you" }]);
});

test("closing refuses what waits and what comes later", async () => {
  const client = open(server.url);
  const waiting = client.call("echo", 1);
  const rejected = expect(waiting).rejects.toThrow(ClosedError);
  client.close();
  client.close();
  await rejected;
  await expect(client.call("echo", 1)).rejects.toThrow(ClosedError);
  await expect(client.publish("plain:a", 1)).rejects.toThrow(ClosedError);
  expect(() => client.subscribe("plain:a")).toThrow(ClosedError);
  expect(() => client.connect()).toThrow(ClosedError);
});
