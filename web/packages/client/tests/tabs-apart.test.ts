/** What happens when tabs and workers end without a word, when there is no worker, and who fetches tokens. */

import { setImmediate } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { TestServer } from "../../../testing/server.js";
import { UnauthorizedError } from "../src/errors.js";
import { connectHub } from "../src/hub.js";
import { TabHost } from "../src/tabs/host.js";
import { holdLife, PING_MS, SILENCE_MS } from "../src/tabs/life.js";
import { type FromTab, type FromWorker, VERSION } from "../src/tabs/messages.js";
import { openHost, optionsFor, portTo, Tab, WISH, workerOf } from "./tabs.js";
import { connected as connectedClient } from "./waiting.js";

let server: TestServer;

beforeAll(async () => {
  server = await TestServer.start();
});
afterAll(() => server.close());

const options = () => optionsFor(server.webSocketUrl);

function say(port: MessagePort, message: FromTab): void {
  port.postMessage(message);
}

/** All that the worker says on this port, as it comes. */
function heardOn(port: MessagePort): FromWorker[] {
  const told: FromWorker[] = [];
  port.onmessage = ({ data }: MessageEvent<readonly FromWorker[]>) => told.push(...data);
  return told;
}

/** Time for messages to come and go, while timers are held. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await setImmediate();
}

/** A tab that follows a channel and holds a lock; what is returned frees the lock, as the platform does when a tab dies. */
function mortalTab(port: MessagePort, channel: string): Promise<() => void> {
  say(port, { kind: "hello", version: VERSION, options: options() });
  say(port, { kind: "follow", id: 1, channel, wish: WISH });
  return new Promise((held) => {
    const die = holdLife((lock) => {
      say(port, { kind: "alive", lock });
      held(() => die());
    });
  });
}

describe("without a worker", () => {
  test("a page that has no shared workers connects by itself", async () => {
    const start = (): never => {
      throw new ReferenceError("SharedWorker is not defined");
    };
    const tab = await new Tab(start, options()).connect();
    expect(tab.status?.transport).toBe("websocket");
    expect(await tab.rpc("echo", 1)).toBe(1);
  });

  test("a worker that does not answer is not waited for", async () => {
    const { port1, port2 } = new MessageChannel();
    const tab = await new Tab(() => workerOf(port2), options()).connect();
    expect(tab.status?.transport).toBe("websocket");
    port1.close();
  });

  test("a worker that fails is left", async () => {
    const worker = workerOf(portTo(openHost()));
    const tab = await new Tab(() => worker, options()).connect();
    worker.dispatchEvent(new Event("error"));
    await expect.poll(() => tab.status?.transport).toBe("websocket");
  });

  test("a worker of another version is left alone", async () => {
    const { port1, port2 } = new MessageChannel();
    openHost().accept(port1);
    port2.postMessage({ kind: "hello", version: 0, options: options() });
    const answer = await new Promise((resolve) => {
      port2.onmessage = ({ data }) => resolve(data);
    });
    expect(answer).toEqual([{ kind: "gone" }]);
  });
});

describe("an end without a word", () => {
  test("a tab that dies gives up its channels", async () => {
    const host = openHost();
    const observer = await Tab.of(host, options()).connect();
    const die = await mortalTab(portTo(host), "plain:mortal");
    const stats = () =>
      observer.connection.request({ kind: "presenceStats", channel: "plain:mortal" }, DEADLINE_MS);
    await expect.poll(stats).toEqual({ clients: 1, users: 1 });
    die();
    await expect.poll(stats).toEqual({ clients: 0, users: 0 });
  });

  test("a tab that the worker lets go of goes on by itself, with nothing missed and nothing twice", async () => {
    const ports: MessagePort[] = [];
    const host = openHost();
    const start = () => {
      const { port1, port2 } = new MessageChannel();
      ports.push(port1);
      host.accept(port1);
      return workerOf(port2);
    };
    const tab = await new Tab(start, options()).connect();
    const heard = tab.follow("kept:alone");
    await heard.subscribed();
    await tab.publish("kept:alone", 1);
    await heard.has(1);
    ports[0]?.postMessage([{ kind: "gone" }]);
    await expect.poll(() => tab.status?.transport).toBe("websocket");
    await tab.publish("kept:alone", 2);
    expect(await heard.has(2)).toEqual([1, 2]);
    expect((await heard.subscribed()).recovered).toBe(true);
  });

  test("a request under way is refused as temporary when the worker is gone", async () => {
    const { port1, port2 } = new MessageChannel();
    openHost().accept(port1);
    const tab = await new Tab(() => workerOf(port2), options()).connect();
    const waiting = tab.rpc("wait", 30);
    port1.postMessage([{ kind: "gone" }]);
    await expect(waiting).rejects.toMatchObject({ temporary: true });
  });
});

describe("bounds", () => {
  test("a tab that takes nothing of what comes is let go of", async () => {
    const host = openHost();
    const publisher = await Tab.of(host, options()).connect();
    const port = portTo(host);
    const told = heardOn(port);
    say(port, { kind: "hello", version: VERSION, options: options() });
    say(port, { kind: "follow", id: 1, channel: "plain:flood", wish: WISH });
    await expect.poll(() => told.some(({ kind }) => kind === "channelStatus")).toBe(true);
    // A little at a time: the server, too, lets go of a connection that lags behind.
    while (told.at(-1)?.kind !== "gone")
      await publisher.rpc("burst", { channel: "plain:flood", count: 2_000 });
  });

  describe("without Web Locks", () => {
    beforeEach(() => {
      vi.stubGlobal("navigator", {});
      vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout", "Date"] });
    });
    afterEach(() => {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    });

    test("a tab that has been silent for long is let go of", async () => {
      const port = portTo(openHost());
      const told = heardOn(port);
      say(port, { kind: "hello", version: VERSION, options: options() });
      await turns();
      vi.advanceTimersByTime(SILENCE_MS + 2 * PING_MS);
      await turns();
      expect(told.at(-1)).toEqual({ kind: "gone" });
    });

    test("a tab that takes what comes is kept", async () => {
      const port = portTo(openHost());
      const told = heardOn(port);
      say(port, { kind: "hello", version: VERSION, options: options() });
      for (let passed = 0; passed < 2 * SILENCE_MS; passed += PING_MS) {
        const before = told.length;
        await turns();
        vi.advanceTimersByTime(PING_MS);
        say(port, { kind: "taken", count: told.length - before });
      }
      await turns();
      expect(told.some(({ kind }) => kind === "ping")).toBe(true);
      expect(told.some(({ kind }) => kind === "gone")).toBe(false);
    });

    test("a worker that has been silent for long is left", async () => {
      const { port1, port2 } = new MessageChannel();
      const tab = new Tab(() => workerOf(port2), options());
      tab.connection.connect();
      port1.postMessage([{ kind: "welcome" }] satisfies FromWorker[]);
      await turns();
      vi.advanceTimersByTime(SILENCE_MS + 2 * PING_MS);
      expect((await tab.connected()).transport).toBe("websocket");
    });
  });
});

describe("tokens", () => {
  const withTokens = () => ({ ...options(), fetchesToken: true });

  async function tokenOf(user: string, channel = ""): Promise<string> {
    const client = await connectedClient(server.url);
    return String(await client.call("token", { user, channel }));
  }

  test("the first tab's token makes the connection, a later one only shows whose the tab is", async () => {
    const token = await tokenOf("ada");
    const host = openHost();
    const one = await Tab.of(host, withTokens(), async () => token).connect();
    const other = await Tab.of(host, withTokens(), async () => token).connect();
    expect([one.tokensFetched, other.tokensFetched]).toEqual([1, 1]);
    expect(other.status?.client).toBe(one.status?.client);
  });

  test("a worker that fetches tokens itself asks no tab", async () => {
    const token = await tokenOf("ada");
    const host = new TabHost(connectHub(undefined), async () => token);
    const tab = await Tab.of(host, withTokens()).connect();
    expect(tab.tokensFetched).toBe(0);
  });

  test("a tab that is gone is not asked, another is", async () => {
    const [token, ofChannel] = await Promise.all([tokenOf("ada"), tokenOf("ada", "$private:both")]);
    const host = openHost();
    const gone = await Tab.of(host, withTokens(), async () => token).connect();
    const there = await Tab.of(host, withTokens(), async () => token).connect();
    let asked = false;
    gone.follow("$private:both", { isPrivate: true }, () => {
      asked = true;
      return new Promise(() => {});
    });
    await expect.poll(() => asked).toBe(true);
    const heard = there.follow("$private:both", { isPrivate: true }, async () => ofChannel);
    gone.connection.close();
    expect((await heard.subscribed()).state).toBe("subscribed");
  });

  test("a token that will never come ends in an error that every tab sees", async () => {
    const host = openHost();
    const refuse = () => Promise.reject(new UnauthorizedError("signed out"));
    const opened = [Tab.of(host, withTokens(), refuse), Tab.of(host, withTokens(), refuse)];
    for (const tab of opened) tab.connection.connect();
    for (const tab of opened) await expect.poll(() => tab.status?.state).toBe("error");
  });

  test("a private channel's token comes from a tab that follows it", async () => {
    const token = await tokenOf("ada");
    const ofChannel = await tokenOf("ada", "$private:diary");
    const host = openHost();
    const reader = await Tab.of(host, withTokens(), async () => token).connect();
    const other = await Tab.of(host, withTokens(), async () => token).connect();
    other.follow("$private:diary"); // without a way to a token
    const heard = reader.follow("$private:diary", { isPrivate: true }, async () => ofChannel);
    expect((await heard.subscribed()).state).toBe("subscribed");
  });

  test("tabs of different people do not share a connection", async () => {
    const host = openHost();
    const [ada, grace] = await Promise.all([tokenOf("ada"), tokenOf("grace")]);
    const one = await Tab.of(host, { ...options(), token: ada }).connect();
    const other = await Tab.of(host, { ...options(), token: grace }).connect();
    const third = await Tab.of(host, withTokens(), async () => grace).connect();
    expect(one.status?.client).not.toBe(other.status?.client);
    expect(third.status?.client).toBe(other.status?.client);
  });

  test("a tab with a newer token does not depend on an older one that is refused", async () => {
    const client = await connectedClient(server.url);
    const host = openHost();
    const expired = String(await client.call("token", { user: "ada", ttl_s: -60 }));
    const [one, other] = [expired, await tokenOf("ada")].map((token) =>
      Tab.of(host, { ...options(), token }),
    ) as [Tab, Tab];
    one.connection.connect();
    await expect.poll(() => one.status?.state).toBe("error");
    await other.connect();
    const third = await Tab.of(host, { ...options(), token: await tokenOf("ada") }).connect();
    one.connection.close();
    const fourth = await Tab.of(host, { ...options(), token: await tokenOf("ada") }).connect();
    for (const { status } of [third, fourth]) expect(status?.client).toBe(other.status?.client);
  });

  test("two tokens of one person share one", async () => {
    const host = openHost();
    const [first, second] = await Promise.all([tokenOf("ada"), tokenOf("ada")]);
    const one = await Tab.of(host, { ...options(), token: first }).connect();
    const other = await Tab.of(host, { ...options(), token: second }).connect();
    expect(one.status?.client).toBe(other.status?.client);
  });
});
