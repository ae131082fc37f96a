/**
 * What a test holds of a page: its client, and a record of all that the client said since it was made.
 *
 * Tests reach it as `lab`. Publications carry a number, `{ n: 7 }`, so that a record can show what is lost, doubled or
 * out of order.
 */

import {
  type Client,
  type ClientOptions,
  createClient,
  type SubscribeOptions,
  type Subscription,
  UnauthorizedError,
} from "@vagus/client";

export interface Numbered {
  readonly n: number;
}

/** The hub's channels on which numbers are published. */
export type NumbersChannel = `${"kept" | "plain"}:${string}`;

declare module "@vagus/client" {
  interface Channels extends Record<NumbersChannel, Numbered> {}
}

/** One view of a channel and what it was told. */
interface Told {
  readonly view: Subscription<unknown>;
  readonly numbers: number[];
  readonly batches: number[];
  readonly recoveries: (boolean | null)[];
}

/** A change of the connection, as a person is told of it. */
interface Change {
  readonly state: string;
  readonly reason: string;
  readonly code: number;
}

/** A page that is open for long must not grow by what it records. */
const CHANGES_KEPT = 50;

declare global {
  var lab: Lab;
  /** A test's answer to a page that needs a token; an empty one stands for "403 Forbidden". */
  var fetchToken: (() => Promise<string>) | undefined;
}

export class Lab {
  readonly client: Client;
  readonly changes: Change[] = [];
  readonly #records = new Map<string, Told>();

  constructor(client: Client) {
    this.client = client;
    const note = () => {
      const { state, reason, code } = client.status.get();
      if (this.changes.at(-1)?.state !== state) this.changes.push({ state, reason, code });
      if (this.changes.length > CHANGES_KEPT) this.changes.shift();
    };
    note();
    client.status.subscribe(note);
  }

  get states(): string[] {
    return this.changes.map((change) => change.state);
  }

  follow(channel: string, options: SubscribeOptions = {}): Subscription<unknown> {
    const view: Subscription<unknown> = this.client.subscribe(channel, options);
    const record: Told = { view, numbers: [], batches: [], recoveries: [] };
    this.#records.set(channel, record);
    view.listen((batch) => {
      record.batches.push(batch.length);
      for (const message of batch) record.numbers.push((message.data as Numbered).n);
    });
    let before = view.status.get().state;
    view.status.subscribe(() => {
      const { state, recovered } = view.status.get();
      if (state === "subscribed" && before !== state) record.recoveries.push(recovered);
      before = state;
    });
    return view;
  }

  isFollowing(channel: string): boolean {
    return this.#record(channel).view.status.get().state === "subscribed";
  }

  /** What the view was told, in the order in which it was told. */
  numbers(channel: string): number[] {
    return this.#record(channel).numbers;
  }

  /** How many messages each telling had. */
  batches(channel: string): number[] {
    return this.#record(channel).batches;
  }

  /** Whether all that was missed came, for each time that it was subscribed. */
  recoveries(channel: string): (boolean | null)[] {
    return this.#record(channel).recoveries;
  }

  /** Publish many without waiting for each. The errors of those that were not published. */
  async publish(channel: string, from: number, count: number): Promise<string[]> {
    const sent = Array.from({ length: count }, (_, index) =>
      this.client.publish(channel, { n: from + index }),
    );
    const results = await Promise.allSettled(sent);
    return results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
  }

  #record(channel: string): Told {
    const record = this.#records.get(channel);
    if (record === undefined) throw new Error(`nobody follows ${channel}`);
    return record;
  }
}

/** What the page's address asks for: `?hub=…&options={…}&channel=…`, with `&tokens` to ask the test for tokens. */
export function wishes(): { options: ClientOptions; channel: NumbersChannel | ""; query: URLSearchParams } {
  const query = new URLSearchParams(location.search);
  const options: ClientOptions = JSON.parse(query.get("options") ?? "{}");
  return {
    options: {
      url: query.get("hub") ?? location.origin,
      ...options,
      ...(query.has("tokens") && { getToken }),
    },
    channel: (query.get("channel") ?? "") as NumbersChannel | "",
    query,
  };
}

async function getToken(): Promise<string> {
  const token = await globalThis.fetchToken?.();
  if (token === undefined) throw new Error("nobody hands out tokens");
  if (token === "") throw new UnauthorizedError("403 Forbidden");
  return token;
}

export function openLab(options: ClientOptions): Lab {
  globalThis.lab = new Lab(createClient(options));
  return globalThis.lab;
}
