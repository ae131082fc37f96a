/** What the tests of this package share: a real server, a real client on it, and components that count their renders. */

import { cleanup, render } from "@testing-library/react";
import { type Client, type ClientOptions, createClient } from "@vagus/client";
import type { ReactNode } from "react";
import { afterAll, afterEach, beforeAll, beforeEach, onTestFinished } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { TestServer } from "../../../testing/server.js";
import { type ChannelNames, RealtimeProvider } from "../src/index.js";

const QUICK = { minDelay: 20, maxDelay: 200 };

export interface Harness {
  readonly server: TestServer;
  /** Connected when a test begins, closed when it ends. */
  readonly client: Client;
  /** Options of further clients of the server. */
  readonly options: ClientOptions;
  /** Another client of the same server, which ends with the test. */
  connect(options?: ClientOptions): Promise<Client>;
}

/** A server for the tests of a file, and a client for each of them. */
export function withServer(environment: Readonly<Record<string, string>> = {}): Harness {
  let server: TestServer | undefined;
  let clients: Client[] = [];
  const harness: Harness = {
    get server() {
      return present(server);
    },
    get client() {
      return present(clients[0]);
    },
    get options() {
      return { url: present(server).webSocketUrl, storage: null, retry: QUICK };
    },
    async connect(options = {}) {
      const client = createClient({ ...harness.options, ...options });
      clients.push(client);
      client.connect();
      await client.ready();
      return client;
    },
  };
  beforeAll(async () => {
    server = await TestServer.start(environment);
  });
  beforeEach(async () => {
    await harness.connect();
  });
  afterEach(() => {
    cleanup();
    for (const client of clients) client.close();
    clients = [];
  });
  afterAll(() => server?.close());
  return harness;
}

export function present<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error("nothing there");
  return value;
}

/** A name that no other test uses. */
export const fresh = <P extends string>(prefix: P): `${P}:${string}` =>
  `${prefix}:${crypto.randomUUID().slice(0, 8)}`;

export function renderWith(
  client: Client,
  children: ReactNode,
  channels: Partial<ChannelNames> = {},
): ReturnType<typeof render> {
  return render(
    <RealtimeProvider client={client} channels={channels}>
      {children}
    </RealtimeProvider>,
  );
}

/** Wait until it holds, or fail after a while. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Have errors that nobody catches put into a list, as long as the test runs. */
export function uncaught(): readonly unknown[] {
  const thrown: unknown[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of others) process.on("uncaughtException", listener);
  });
  return thrown;
}

/** How many follow a channel at the server. */
export async function followers(client: Client, channel: string): Promise<number> {
  return (await client.presenceStats(channel)).clients;
}

/** Wait until the client follows a channel. */
export function followed(client: Client, channel: string): Promise<void> {
  return until(() => client.subscriptions.get().get(channel)?.state === "subscribed");
}

/** Cut the connection of a client, which then makes it again. */
export function cut(client: Client, by: Client): Promise<unknown> {
  return by.call("disconnect", { client: client.status.get().client });
}
