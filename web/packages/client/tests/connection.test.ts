/** A client's connection: what it goes through, and what a person is told about it. */

import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { TestServer } from "../../../testing/server.js";
import type { LinkStatus } from "../src/connection.js";
import { connectHub } from "../src/hub.js";
import { ConnectionError, UnauthorizedError } from "../src/index.js";
import { connectionOptions } from "../src/options.js";
import { withoutWebSockets } from "./proxies.js";
import { connected, open, QUICK, statusesOf, until } from "./waiting.js";

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

/** A server of the test's own, since it is stopped, paused or killed. */
async function ownServer(environment: Record<string, string> = {}): Promise<TestServer> {
  const own = await TestServer.start(environment);
  onTestFinished(() => own.close());
  return own;
}

test("does nothing before it is told to connect", async () => {
  const client = open(server.url);
  expect(client.status.get()).toMatchObject({ state: "disconnected", reason: "", client: "" });
});

test("goes from connecting to connected", async () => {
  const client = open(server.url);
  const statuses = statusesOf(client);
  client.connect();
  await client.ready();
  expect(statuses.map(({ state }) => state)).toEqual(["connecting", "connected"]);
  expect(client.status.get()).toMatchObject({ transport: "websocket", attempt: 0, reason: "", code: 0 });
  expect(client.status.get().client).not.toBe("");
});

test("comes back by itself after the server was killed", async () => {
  const own = await ownServer();
  const client = await connected(own.url);
  const statuses = statusesOf(client);
  await own.end("SIGKILL");
  const lost = await until(() => statuses.find(({ state }) => state === "connecting"));
  expect(lost.reason).toBe("The server cannot be reached. Check the network.");
  expect(lost.retryAt).toBeGreaterThan(0);
  client.retry();
  await own.begin();
  client.retry();
  await client.ready();
  expect(client.figures.get().reconnections).toBe(1);
});

test("gives up after so many tries, and begins anew when it is asked to", async () => {
  const own = await ownServer();
  await own.end();
  const client = open(own.url, { retry: { ...QUICK, tries: 2 } });
  client.connect();
  await expect(client.ready()).rejects.toThrow(ConnectionError);
  expect(client.status.get()).toMatchObject({ state: "error", code: 2, attempt: 3, retryAt: null });
  expect(client.status.get().reason).toContain("try again");
  await own.begin();
  client.retry();
  await client.ready();
});

test("stays away when the server says so, and says why", async () => {
  const client = await connected(server.url);
  const { client: id } = client.status.get();
  const other = await connected(server.url);
  await other.call("disconnect", { client: id, code: 4800, reason: "come back tomorrow" });
  await until(() => client.status.get().state === "error");
  expect(client.status.get()).toMatchObject({ code: 4800, reason: "The server says: come back tomorrow." });
});

test("is not made again if the person does not want that", async () => {
  const client = await connected(server.url, { storage: null });
  client.preferences.set({ autoReconnect: false });
  const other = await connected(server.url);
  await other.call("disconnect", { client: client.status.get().client });
  await until(() => client.status.get().state === "disconnected");
  expect(client.status.get().code).toBe(3011);
});

test("that is half open is noticed by a check and made again, without waiting for a ping", async () => {
  const own = await ownServer();
  const statuses: LinkStatus[] = [];
  const connection = connectHub(undefined)(
    { ...connectionOptions({ url: own.url, timeout: 500 }, true), retry: { tries: 99, factor: 1, ...QUICK } },
    {
      status: (status) => statuses.push(status),
      message: () => {},
      latency: () => {},
      token: () => Promise.resolve(""),
    },
  );
  onTestFinished(() => connection.close());
  connection.connect();
  await until(() => statuses.at(-1)?.state === "connected");
  own.pause(true);
  connection.check();
  const lost = await until(() => statuses.find(({ code }) => code === 1));
  expect(lost).toMatchObject({ state: "connecting", reason: "The server does not answer." });
  own.pause(false);
  await until(() => statuses.at(-1)?.state === "connected");
});

test("renews its token before that expires, without an interruption", async () => {
  const minter = await connected(server.url);
  let fetched = 0;
  const getToken = async (): Promise<string> => {
    fetched += 1;
    return (await minter.call("token", { ttl_s: fetched === 1 ? 2 : 60 })) as string;
  };
  const client = await connected(server.url, { getToken });
  const statuses = statusesOf(client);
  await until(() => fetched === 2);
  await client.call("echo", 1);
  expect(statuses).toEqual([]);
});

test("fetches a token in the place of one that has expired", async () => {
  const minter = await connected(server.url);
  const token = (await minter.call("token", { ttl_s: -10 })) as string;
  const client = await connected(server.url, {
    token,
    getToken: async () => (await minter.call("token", {})) as string,
  });
  expect(client.status.get().state).toBe("connected");
});

test.each([
  ["throws UnauthorizedError", new UnauthorizedError("the session is over")],
  ["rejects with the answer 403", Object.assign(new Error("the session is over"), { status: 403 })],
])("is refused for good when getToken %s", async (_, error) => {
  const client = open(server.url, { getToken: () => Promise.reject(error) });
  client.connect();
  await expect(client.ready()).rejects.toThrow("The sign-in was refused: the session is over.");
  expect(client.status.get().state).toBe("error");
});

test("is tried again when getToken failed for a moment", async () => {
  const minter = await connected(server.url);
  let fetched = 0;
  const client = open(server.url, {
    getToken: async () => {
      fetched += 1;
      if (fetched === 1) throw new Error("no network");
      return (await minter.call("token", {})) as string;
    },
  });
  const statuses = statusesOf(client);
  client.connect();
  await client.ready();
  expect(statuses.map(({ reason }) => reason)).toContain("No token could be fetched: no network.");
});

test("is refused with a token that is not valid", async () => {
  const client = open(server.url, { token: "no.real.token" });
  client.connect();
  await expect(client.ready()).rejects.toMatchObject({ name: "ConnectionError", code: 3500 });
});

test("goes through HTTP where WebSockets do not get through", async () => {
  const client = await connected(await withoutWebSockets(server.url));
  expect(client.status.get().transport).toBe("http_stream");
  expect(await client.call("add", [1, 2])).toBe(3);
});

test("takes characters whole that arrive in pieces", async () => {
  const client = await connected(await withoutWebSockets(server.url, { bytesAtOnce: 7 }));
  const text = "größer 漢字 🚀 ".repeat(50);
  expect(await client.call("echo", text)).toBe(text);
});

test("survives that a command cannot be sent over HTTP", async () => {
  const client = await connected(await withoutWebSockets(server.url, { refusesCommands: true }), {
    timeout: 300,
  });
  await expect(client.call("echo", 1)).rejects.toThrow(ConnectionError);
});

test("is stale after a silence, and not any more when something comes", async () => {
  const client = await connected(server.url, { staleAfter: 100 });
  expect((await until(() => client.status.get().state === "stale" && client.status.get())).reason).not.toBe(
    "",
  );
  const states: string[] = [];
  client.onMessage(() => states.push(client.status.get().state));
  await client.call("tell", 1);
  await until(() => states.length > 0);
  expect(states).toEqual(["connected"]);
});

test("ready rejects when the connection is given up by disconnect", async () => {
  const own = await ownServer();
  await own.end();
  const client = open(own.url);
  client.connect();
  const ready = client.ready();
  client.disconnect();
  await expect(ready).rejects.toThrow(ConnectionError);
});

test("a hung server does not hold an attempt up for ever", async () => {
  const own = await ownServer();
  own.pause(true);
  const client = open(own.url, { timeout: 200, retry: { ...QUICK, tries: 1 }, transports: ["websocket"] });
  client.connect();
  await expect(client.ready()).rejects.toMatchObject({ code: 1 });
  own.pause(false);
});

test("measures the way to the server and back", async () => {
  const client = await connected(server.url);
  client.figures.subscribe(() => {});
  const { latency } = await until(() => client.figures.get().latency !== null && client.figures.get());
  expect(latency).toBeGreaterThan(0);
});
