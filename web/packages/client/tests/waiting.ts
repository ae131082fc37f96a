/** Waiting for what is to come about, and clients that are closed when their test ends. */

import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { DEADLINE_MS } from "../../../testing/patience.js";
import { createClient } from "../src/index.js";
import type { Client, ClientOptions, ConnectionStatus, Subscription } from "../src/types.js";

/** Short delays, so that tests of failures take no minutes. */
export const QUICK = { minDelay: 20, maxDelay: 200 };

/** Wait until it gives something that is true, and return that. */
export async function until<T>(what: () => T): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = what();
    if (value) return value as Exclude<T, false | null | undefined>;
    if (Date.now() > deadline) throw new Error(`it did not come about: ${what}`);
    await sleep(5);
  }
}

/** A client that was not told to connect. */
export function open(url: string, options: ClientOptions = {}): Client {
  const client = createClient({ url, retry: QUICK, ...options });
  onTestFinished(() => client.close());
  return client;
}

export async function connected(url: string, options: ClientOptions = {}): Promise<Client> {
  const client = open(url, options);
  client.connect();
  await client.ready({ timeout: DEADLINE_MS });
  return client;
}

export function statusesOf(client: Client): ConnectionStatus[] {
  const statuses: ConnectionStatus[] = [];
  client.status.subscribe(() => statuses.push(client.status.get()));
  return statuses;
}

/** Every datum that the view is handed, in order. */
export function heardBy<T>(view: Subscription<T>): T[] {
  const heard: T[] = [];
  view.listen((batch) => heard.push(...batch.map(({ data }) => data)));
  return heard;
}

export const isFollowing = (view: Subscription): boolean => view.status.get().state === "subscribed";

/** A name that no other test uses. */
export const fresh = (prefix: string): string => `${prefix}:${crypto.randomUUID().slice(0, 8)}`;
