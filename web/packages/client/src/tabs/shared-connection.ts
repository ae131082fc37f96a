/**
 * One connection to the server on which many tabs stand: there while one of them is, each channel while one follows it.
 *
 * What a tab asks of the connection (try again, is it alive) counts for all, and at the server the tabs are one client.
 */

import { clock } from "../clock.js";
import type {
  Connect,
  Connection,
  ConnectionOptions,
  Following,
  LinkStatus,
  Refusal,
  Request,
  Wish,
} from "../connection.js";
import { SharedChannel } from "../sharing.js";
import type { FromTab, FromWorker } from "./messages.js";
import { firstToken, type Tab, type TokenSource } from "./tab.js";

export type FetchToken = () => Promise<string>;

/** A tab's part in the connection. */
interface Seat {
  readonly tab: Tab;
  reconnects: boolean;
  readonly parts: Map<number, Part>;
}

/** A tab's part in a channel. */
interface Part {
  readonly channel: string;
  wish: Wish;
  following?: Following;
}

export class SharedConnection {
  readonly #connection: Connection;
  readonly #options: ConnectionOptions;
  readonly #ended: () => void;
  readonly #seats = new Map<Tab, Seat>();
  readonly #channels = new Map<string, SharedChannel>();
  #status: LinkStatus | undefined;

  /** `ended` is called when the last tab has left; it is closed then. */
  constructor(connect: Connect, options: ConnectionOptions, ended: () => void, getToken?: FetchToken) {
    this.#options = options;
    this.#ended = ended;
    this.#connection = connect(options, {
      status: (status) => {
        this.#status = status;
        this.#tell({ kind: "status", status });
      },
      message: (data) => this.#tell({ kind: "message", data }),
      latency: (duration) => this.#tell({ kind: "latency", duration }),
      token: getToken ?? (() => this.#token()),
    });
  }

  /** Whether it has failed with another token than this one, and would try again with its own alone. */
  isRefused(token: string | null): boolean {
    const { token: own, fetchesToken } = this.#options;
    return this.#status?.state === "error" && !fetchesToken && token !== own;
  }

  join(tab: Tab, reconnects: boolean): void {
    this.#seats.set(tab, { tab, reconnects, parts: new Map() });
    if (this.#status) tab.post({ kind: "status", status: this.#status });
    this.#adjustReconnects();
    // Whoever comes anew expects an attempt, also where another gave up.
    if (this.#status?.state === "error") this.#connection.retry();
    else this.#connection.connect();
  }

  leave(tab: Tab): void {
    const seat = this.#seats.get(tab);
    if (seat === undefined) return;
    this.#seats.delete(tab);
    for (const { following } of seat.parts.values()) following?.end();
    if (this.#seats.size > 0) return this.#adjustReconnects();
    for (const channel of this.#channels.values()) channel.close();
    this.#connection.close();
    this.#ended();
  }

  /** Do what a tab says. */
  take(tab: Tab, message: FromTab): void {
    const seat = this.#seats.get(tab);
    if (seat === undefined) return;
    switch (message.kind) {
      case "retry":
        return this.#connection.retry();
      case "check":
        return this.#connection.check();
      case "reconnects":
        seat.reconnects = message.reconnects;
        return this.#adjustReconnects();
      case "follow":
        return this.#follow(seat, message);
      case "change":
        return this.#change(seat, message);
      case "end":
        seat.parts.get(message.id)?.following?.end();
        seat.parts.delete(message.id);
        return;
      case "request":
        void this.#request(tab, message);
    }
  }

  #follow({ tab, parts }: Seat, { id, channel, wish }: FromTab & { kind: "follow" }): void {
    const part: Part = { channel, wish };
    parts.set(id, part); // before it joins, which may ask for a token
    part.following = this.#channel(channel).join(wish, {
      status: (status) => tab.post({ kind: "channelStatus", id, status }),
      publication: (message) => tab.post({ kind: "publication", id, message }),
      join: (member) => tab.post({ kind: "join", id, member }),
      leave: (member) => tab.post({ kind: "leave", id, member }),
      token: () => this.#token(channel),
    });
  }

  #change({ parts }: Seat, { id, wish }: FromTab & { kind: "change" }): void {
    const part = parts.get(id);
    if (part === undefined) return;
    part.wish = wish;
    part.following?.change(wish);
  }

  #channel(name: string): SharedChannel {
    const there = this.#channels.get(name);
    if (there) return there;
    const channel = new SharedChannel(name, this.#connection, clock, () => this.#channels.delete(name));
    this.#channels.set(name, channel);
    return channel;
  }

  async #request(tab: Tab, { id, request, timeout }: FromTab & { kind: "request" }): Promise<void> {
    try {
      tab.post({ kind: "result", id, answer: await this.#connection.request(fromJson(request), timeout) });
    } catch (refusal) {
      tab.post({ kind: "refused", id, refusal: refusal as Refusal });
    }
  }

  /** The token of the connection or of a channel, from any tab that can fetch it: the newest is asked first. */
  #token(channel?: string): Promise<string> {
    const askable = [...this.#seats.values()].flatMap(({ tab, parts }): TokenSource[] => {
      if (channel === undefined) return [{ tab, following: null }];
      const able = [...parts].find(([, part]) => part.channel === channel && part.wish.isPrivate);
      return able ? [{ tab, following: able[0] }] : [];
    });
    return firstToken(askable.reverse());
  }

  #tell(event: FromWorker): void {
    for (const tab of this.#seats.keys()) tab.post(event);
  }

  #adjustReconnects(): void {
    this.#connection.setReconnects([...this.#seats.values()].some(({ reconnects }) => reconnects));
  }
}

/** The data of a request came as JSON text. */
function fromJson(request: Request): Request {
  return "data" in request && typeof request.data === "string"
    ? { ...request, data: JSON.parse(request.data) }
    : request;
}
