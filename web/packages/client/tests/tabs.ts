/**
 * Tabs for tests: each a connection of its own to one host, over a real port; and what it was told, to wait for.
 *
 * The host runs here instead of in a worker, which is the only difference to a browser.
 */

import { DEADLINE_MS } from "../../../testing/patience.js";
import type {
  ChannelStatus,
  Connection,
  ConnectionOptions,
  Following,
  LinkStatus,
  Wish,
} from "../src/connection.js";
import { connectHub } from "../src/hub.js";
import { TabHost } from "../src/tabs/host.js";
import { connectThroughTabs } from "../src/tabs/tabs.js";
import type { Member, Message } from "../src/types.js";
import { until } from "./waiting.js";

export const WISH: Wish = {
  recover: true,
  since: null,
  tags: null,
  delta: false,
  joinLeave: false,
  data: null,
  rate: 0,
  isPrivate: false,
};

export function optionsFor(
  webSocketUrl: string,
  changes: Partial<ConnectionOptions> = {},
): ConnectionOptions {
  return {
    endpoints: [{ transport: "websocket", endpoint: webSocketUrl }],
    emulation: "",
    token: "",
    fetchesToken: false,
    data: null,
    name: "tests",
    retry: { tries: 5, factor: 2, minDelay: 20, maxDelay: 200 },
    reconnects: true,
    timeout: DEADLINE_MS,
    ...changes,
  };
}

export const openHost = (): TabHost => new TabHost(connectHub(undefined));

/** What stands for the worker object in a tab. */
export function workerOf(port: MessagePort): SharedWorker {
  return Object.assign(new EventTarget(), { port, onerror: null });
}

export class Tab {
  readonly connection: Connection;
  readonly statuses: LinkStatus[] = [];
  readonly messages: unknown[] = [];
  tokensFetched = 0;

  constructor(start: () => SharedWorker, options: ConnectionOptions, token?: () => Promise<string>) {
    const connect = connectThroughTabs(start, connectHub(undefined));
    this.connection = connect(options, {
      status: (status) => this.statuses.push(status),
      message: (data) => this.messages.push(data),
      latency: () => {},
      token: () => {
        this.tokensFetched += 1;
        return token ? token() : Promise.reject(new Error("no token"));
      },
    });
  }

  /** A tab of this host. */
  static of(host: TabHost, options: ConnectionOptions, token?: () => Promise<string>): Tab {
    return new Tab(() => workerOf(portTo(host)), options, token);
  }

  get status(): LinkStatus | undefined {
    return this.statuses.at(-1);
  }

  async connect(): Promise<this> {
    this.connection.connect();
    await this.connected();
    return this;
  }

  connected(): Promise<LinkStatus> {
    return until(() => this.status?.state === "connected" && this.status);
  }

  follow(channel: string, wish: Partial<Wish> = {}, token?: () => Promise<string>): Heard {
    return new Heard(this.connection, channel, { ...WISH, ...wish }, token);
  }

  rpc(method: string, data: unknown = null): Promise<unknown> {
    return this.connection.request({ kind: "rpc", method, data }, DEADLINE_MS);
  }

  publish(channel: string, data: unknown): Promise<unknown> {
    return this.rpc("vagus.publish", { publications: [{ channel, data, key: crypto.randomUUID() }] });
  }
}

/** A port whose other end the host has. */
export function portTo(host: TabHost): MessagePort {
  const { port1, port2 } = new MessageChannel();
  host.accept(port1);
  return port2;
}

/** What was heard of a channel. */
export class Heard {
  readonly following: Following;
  readonly statuses: ChannelStatus[] = [];
  readonly messages: Message[] = [];
  readonly members: [string, Member][] = [];

  constructor(connection: Connection, channel: string, wish: Wish, token?: () => Promise<string>) {
    this.following = connection.follow(channel, wish, {
      status: (status) => this.statuses.push(status),
      publication: (message) => this.messages.push(message),
      join: (member) => this.members.push(["join", member]),
      leave: (member) => this.members.push(["leave", member]),
      token: token ?? (() => Promise.reject(new Error("no token"))),
    });
  }

  get data(): unknown[] {
    return this.messages.map(({ data }) => data);
  }

  subscribed(): Promise<ChannelStatus> {
    return until(() => this.statuses.at(-1)?.state === "subscribed" && this.statuses.at(-1));
  }

  async has(count: number): Promise<unknown[]> {
    await until(() => this.messages.length >= count);
    return this.data;
  }
}
