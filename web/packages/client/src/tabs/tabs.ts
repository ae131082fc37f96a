/**
 * One connection for all tabs of a site, as far as that goes: through the worker that keeps it, or, where the worker
 * does not start or fails, through a connection of this tab's own.
 *
 * It remembers what is followed and how far it was heard, so that the change from one to the other is a reconnection
 * like any other: channels go on from where they were, and requests that wait are refused as temporary. What speaks to the
 * worker is loaded when it is needed, so that pages without one do not load it.
 */

import {
  type Answers,
  type ChannelHandlers,
  type ChannelStatus,
  type Connect,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  type Following,
  type LinkStatus,
  Local,
  type Refusal,
  type Request,
  type Wish,
} from "../connection.js";
import type { Position } from "../types.js";
import type { Carrier } from "./port.js";

/** Connect through the worker that `start` makes; `own` makes a connection without it. */
export function connectThroughTabs(start: () => SharedWorker, own: Connect): Connect {
  return (options, handlers) => new TabConnection(start, own, options, handlers);
}

class TabConnection implements Connection {
  readonly #start: () => SharedWorker;
  readonly #own: Connect;
  #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #channels = new Set<Channel>();
  #state: LinkStatus["state"] = "disconnected";
  #isWanted = false;
  /** Goes up with every end, so that a beginning that took long knows whether it is still meant. */
  #turn = 0;
  #carrier: Carrier | null = null;

  constructor(
    start: () => SharedWorker,
    own: Connect,
    options: ConnectionOptions,
    handlers: ConnectionHandlers,
  ) {
    this.#start = start;
    this.#own = own;
    this.#options = options;
    this.#handlers = {
      ...handlers,
      status: (status) => {
        this.#state = status.state;
        handlers.status(status);
      },
    };
  }

  connect(): void {
    if (!this.#isWanted) void this.#begin();
    else if (this.#state === "error" || this.#state === "disconnected") this.#carrier?.retry();
  }

  disconnect(): void {
    this.close();
    for (const channel of this.#channels) channel.pause();
    this.#handlers.status(NO_LINK);
  }

  retry(): void {
    if (this.#carrier) this.#carrier.retry();
    else this.connect();
  }

  check(): void {
    this.#carrier?.check();
  }

  setReconnects(reconnects: boolean): void {
    this.#options = { ...this.#options, reconnects };
    this.#carrier?.setReconnects(reconnects);
  }

  follow(name: string, wish: Wish, handlers: ChannelHandlers): Following {
    const channel = new Channel(name, wish, handlers);
    this.#channels.add(channel);
    if (this.#carrier) channel.resume(this.#carrier);
    return {
      change: (other) => channel.change(other),
      end: () => {
        this.#channels.delete(channel);
        channel.end();
      },
    };
  }

  async request<R extends Request>(request: R, timeout: number): Promise<Answers[R["kind"]]> {
    if (this.#carrier === null) throw NOT_CONNECTED;
    return this.#carrier.request(request, timeout);
  }

  close(): void {
    this.#isWanted = false;
    this.#turn += 1;
    this.#carrier?.close();
    this.#carrier = null;
  }

  async #begin(): Promise<void> {
    this.#isWanted = true;
    this.#handlers.status({ ...NO_LINK, state: "connecting", attempt: 1 });
    const turn = this.#turn;
    const carrier = await this.#shared().catch(() => null); // there are no shared workers here
    if (turn === this.#turn) this.#carryBy(carrier ?? this.#alone());
    else carrier?.close();
  }

  async #shared(): Promise<Carrier> {
    const { PortConnection } = await import("./port.js");
    return new PortConnection(this.#start(), this.#options, this.#handlers, () => this.#fallBack());
  }

  #alone(): Carrier {
    const own = this.#own(this.#options, this.#handlers);
    own.connect();
    return own;
  }

  #fallBack(): void {
    for (const channel of this.#channels) channel.pause();
    this.#carryBy(this.#alone());
  }

  #carryBy(carrier: Carrier): void {
    this.#carrier = carrier;
    for (const channel of this.#channels) channel.resume(carrier);
  }
}

/** A channel that is followed, by whatever carries it at the time, and how far it was heard. */
class Channel {
  readonly #name: string;
  #wish: Wish;
  readonly #handlers: ChannelHandlers;
  #following: Following | null = null;
  #status: ChannelStatus | null = null;
  #heard: Position | null;
  #hasBegun = false;
  /** Whether it goes on with no position that would tell what was missed. */
  #hasGap = false;

  constructor(name: string, wish: Wish, handlers: ChannelHandlers) {
    this.#name = name;
    this.#wish = wish;
    this.#handlers = handlers;
    this.#heard = wish.since;
  }

  resume(carrier: Carrier): void {
    const since = this.#hasBegun && !this.#wish.recover ? null : this.#heard;
    this.#hasGap = this.#hasBegun && since === null;
    this.#following = carrier.follow(this.#name, { ...this.#wish, since }, this.#observed);
  }

  pause(): void {
    this.#following = null;
    if (this.#status?.state === "subscribed") this.#changed({ ...this.#status, state: "subscribing" });
  }

  change(wish: Wish): void {
    this.#wish = wish;
    if (wish.since !== null) this.#heard = wish.since;
    this.#following?.change(wish);
  }

  end(): void {
    this.#following?.end();
  }

  readonly #observed: ChannelHandlers = {
    status: (status) => this.#changed(status),
    publication: (message) => {
      if (this.#heard && message.offset > 0) this.#heard = { ...this.#heard, offset: message.offset };
      this.#handlers.publication(message);
    },
    join: (member) => this.#handlers.join(member),
    leave: (member) => this.#handlers.leave(member),
    token: () => this.#handlers.token(),
  };

  #changed(status: ChannelStatus): void {
    this.#status = status;
    if (status.state !== "subscribed") return this.#handlers.status(status);
    this.#hasBegun = true;
    this.#heard = status.position;
    this.#handlers.status({ ...status, recovered: status.recovered ?? (this.#hasGap ? false : null) });
  }
}

const NO_LINK: LinkStatus = {
  state: "disconnected",
  reason: "",
  code: 0,
  attempt: 0,
  retryAt: null,
  client: "",
  transport: "",
};

const NOT_CONNECTED: Refusal = { code: Local.notConnected, message: "not connected", temporary: true };
