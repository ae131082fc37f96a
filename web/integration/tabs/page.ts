/** A page whose client shares its connection with other tabs; tests/browser/test_tabs.py drives it. */

import { type Client, createClient, type RetryOptions } from "@vagus/client";

interface Wanted {
  readonly worker?: string;
  readonly withTokens?: boolean;
  readonly retry?: RetryOptions;
}

declare global {
  /** Bound by the test. */
  var fetchToken: () => Promise<string>;
  var tab: typeof page;
}

let client: Client;
const heard: Record<string, unknown[]> = {};

const page = {
  async open({ worker = "/worker.js", withTokens = false, retry = {} }: Wanted): Promise<void> {
    client = createClient({
      retry,
      sharedWorker: () => new SharedWorker(worker, { type: "module" }),
      ...(withTokens ? { getToken: () => globalThis.fetchToken() } : {}),
    });
    client.connect();
    await client.ready();
  },
  async follow(channel: string): Promise<void> {
    const view = client.subscribe(channel, { throttle: 0 });
    const told: unknown[] = [];
    heard[channel] = told;
    view.listen((batch) => told.push(...batch.map(({ data }) => data)));
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (view.status.get().state === "subscribed") resolve();
      };
      view.status.subscribe(look);
      look();
    });
  },
  heard: (channel: string): unknown[] => heard[channel] ?? [],
  publish: async (channel: string, data: unknown): Promise<number> =>
    (await client.publish(channel, data)).offset,
  status: () => client.status.get(),
};

globalThis.tab = page;
document.title = "Ready";
