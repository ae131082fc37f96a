/**
 * The client: puts the connection, the queue, the channels and the figures together.
 *
 * It holds no rules of its own beyond who waits for what: requests wait for the connection until their time is up,
 * publications and events wait in the queue, views share channels.
 */

import { clock } from "./clock.js";
import {
  type Answers,
  type Connection,
  type LinkStatus,
  Local,
  type Refusal,
  type Request,
} from "./connection.js";
import { CallError, ClosedError, ConnectionError, TimeoutError, TooLargeError } from "./errors.js";
import { Counts, type Gauges } from "./figures.js";
import { connectHub } from "./hub.js";
import { limited } from "./limits.js";
import { checkPosition, connectionOptions, DEFAULT_TIMEOUT } from "./options.js";
import { Polled, Ticker, unlessSame } from "./polled.js";
import { KeptPreferences } from "./preferences.js";
import { Queue } from "./queue.js";
import { SharedChannel } from "./sharing.js";
import { watchSignals } from "./signals.js";
import { Listeners } from "./store.js";
import { connectThroughTabs } from "./tabs/tabs.js";
import type {
  CallArguments,
  Client,
  ClientOptions,
  ConnectionStatus,
  DataOf,
  Figures,
  HistoryOptions,
  HistoryPage,
  Json,
  Member,
  PreferencesStore,
  PublishOptions,
  Receipt,
  RequestOptions,
  ResultOf,
  SubscribeOptions,
  Subscription,
  SubscriptionStatus,
} from "./types.js";
import { View, type ViewHost } from "./view.js";

/** Every so many seconds a round trip is measured, while somebody looks at the figures. */
const MEASURE_EVERY = 5;

const NO_SUBSCRIPTIONS: ReadonlyMap<string, SubscriptionStatus> = new Map();

/** Make a client. It connects when `connect` is called. Raises `TypeError` or `RangeError` for wrong options. */
export function createClient(options: ClientOptions = {}): Client {
  return new HubClient(options);
}

class HubClient implements Client {
  readonly preferences: PreferencesStore;
  readonly status: Polled<ConnectionStatus>;
  readonly figures: Polled<Figures>;
  readonly subscriptions: Polled<ReadonlyMap<string, SubscriptionStatus>>;
  readonly #options: ClientOptions;
  readonly #timeout: number;
  readonly #connection: Connection;
  readonly #queue: Queue;
  readonly #ticker = new Ticker(clock);
  readonly #counts = new Counts(clock);
  readonly #kept: KeptPreferences;
  readonly #channels = new Map<string, SharedChannel>();
  readonly #views = new Set<View<unknown>>();
  readonly #messages = new Listeners<[unknown]>();
  readonly #changes = new Listeners();
  #link: LinkStatus = {
    state: "disconnected",
    reason: "",
    code: 0,
    attempt: 0,
    retryAt: null,
    client: "",
    transport: "",
  };
  #since = clock.now();
  #connectedAt = 0;
  #hasBeenConnected = false;
  #lastMessageAt: number | null = null;
  #measured = 0;
  #stopSignals: (() => void) | undefined;
  #isClosed = false;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#timeout = options.timeout ?? DEFAULT_TIMEOUT;
    this.#kept = new KeptPreferences(options.storage);
    this.preferences = this.#kept;
    const own = connectHub(options.webSocket);
    const connect = options.sharedWorker === undefined ? own : connectThroughTabs(options.sharedWorker, own);
    this.#connection = connect(connectionOptions(options, this.#kept.get().autoReconnect), {
      status: (status) => this.#changed(status),
      message: (data) => {
        this.#lastMessageAt = clock.now();
        this.#messages.tell(data);
      },
      latency: (duration) => this.#counts.noteLatency(duration),
      token: () => {
        const { getToken } = this.#options;
        return getToken === undefined ? Promise.reject(new Error("no getToken was given")) : getToken();
      },
    });
    this.#queue = new Queue(this.#connection, clock, this.#timeout, options.queue);
    this.status = new Polled(
      this.#currentStatus(),
      (status) => unlessSame(status, this.#currentStatus()),
      this.#ticker,
    );
    this.figures = new Polled(
      this.#counts.renew(null, this.#gauges()),
      (figures) => this.#counts.renew(figures, this.#gauges()),
      this.#ticker,
      () => this.#measure(),
    );
    this.subscriptions = new Polled(NO_SUBSCRIPTIONS, (map) => this.#currentSubscriptions(map), this.#ticker);
    this.#kept.subscribe(() => {
      this.#connection.setReconnects(this.#kept.get().autoReconnect);
      for (const view of this.#views) view.adjust();
    });
  }

  // What pages hand to their buttons and hooks is bound.

  readonly connect = (): void => {
    this.#begin();
    this.#connection.connect();
  };

  readonly disconnect = (): void => {
    this.#stopSignals?.();
    this.#stopSignals = undefined;
    if (!this.#isClosed) this.#connection.disconnect();
  };

  readonly retry = (): void => {
    this.#begin();
    this.#connection.retry();
  };

  ready(options: RequestOptions = {}): Promise<void> {
    return this.#connected(options, true);
  }

  subscribe<C extends string>(channel: C, options: SubscribeOptions = {}): Subscription<DataOf<C>> {
    if (this.#isClosed) throw new ClosedError("the client is closed");
    if (typeof channel !== "string" || channel === "") throw new TypeError("a channel has a name");
    const view = new View<DataOf<C>>(channel, options, this.#host);
    this.#views.add(view as View<unknown>);
    this.subscriptions.refresh();
    return view;
  }

  readonly publish = <C extends string>(
    channel: C,
    data: DataOf<C>,
    options?: PublishOptions,
  ): Promise<Receipt> => this.#queue.publish(channel, data, options);

  readonly call = async <M extends string>(
    method: M,
    ...[request, options]: CallArguments<M>
  ): Promise<ResultOf<M>> =>
    (await this.#request({ kind: "rpc", method, data: request ?? null }, options)) as ResultOf<M>;

  readonly send = (type: string, payload?: Json): Promise<void> => this.#queue.send(type, payload);

  async history<C extends string>(channel: C, options: HistoryOptions = {}): Promise<HistoryPage<DataOf<C>>> {
    const { limit = 100, since = null, reverse = false } = options;
    if (!Number.isInteger(limit)) throw new RangeError("limit is a whole number");
    checkPosition(since);
    const page = await this.#request({ kind: "history", channel, limit, since, reverse }, options);
    return page as HistoryPage<DataOf<C>>;
  }

  presence(channel: string, options?: RequestOptions): Promise<readonly Member[]> {
    return this.#request({ kind: "presence", channel }, options);
  }

  presenceStats(channel: string, options?: RequestOptions): Promise<{ clients: number; users: number }> {
    return this.#request({ kind: "presenceStats", channel }, options);
  }

  onMessage(listener: (data: unknown) => void): () => void {
    return this.#messages.add(listener);
  }

  noteRender(saved: boolean): void {
    if (saved) this.#counts.saved += 1;
    else this.#counts.renders += 1;
  }

  close(): void {
    if (this.#isClosed) return;
    this.disconnect();
    this.#isClosed = true;
    for (const view of [...this.#views]) view.close();
    for (const channel of [...this.#channels.values()]) channel.close();
    this.#queue.close();
    this.#connection.close();
    this.#changes.tell();
    this.#kept.close();
    this.#ticker.stop();
    for (const store of [this.status, this.figures, this.subscriptions]) store.close();
    this.#messages.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  readonly #host: ViewHost = {
    clock,
    ticker: this.#ticker,
    counts: this.#counts,
    interval: (throttle) => Math.max(throttle, this.#kept.get().refreshEvery),
    follow: (name, wish, handlers) => {
      let channel = this.#channels.get(name);
      if (channel === undefined) {
        const ended = (): void => void this.#channels.delete(name);
        channel = new SharedChannel(name, this.#connection, clock, ended, ({ receivedAt }) => {
          this.#counts.received += 1;
          this.#lastMessageAt = receivedAt;
        });
        this.#channels.set(name, channel);
      }
      return channel.join(wish, handlers);
    },
    publish: (channel, data, options) => this.#queue.publish(channel, data, options),
    presence: (channel) => this.presence(channel),
    changed: () => this.subscriptions.refresh(),
    closed: (view) => {
      this.#views.delete(view);
      this.subscriptions.refresh();
    },
  };

  #begin(): void {
    if (this.#isClosed) throw new ClosedError("the client is closed");
    this.#stopSignals ??= watchSignals(
      () => this.#connection.check(),
      () => this.#suspect(),
      clock,
    );
  }

  #changed(link: LinkStatus): void {
    const isNew = link.state !== this.#link.state;
    this.#link = link;
    if (isNew) this.#since = clock.now();
    if (isNew && link.state === "connected") {
      this.#connectedAt = this.#since;
      if (this.#hasBeenConnected) this.#counts.reconnections += 1;
      this.#hasBeenConnected = true;
    }
    this.#queue.setConnected(link.state === "connected");
    this.#changes.tell();
    this.status.refresh();
  }

  #currentStatus(): ConnectionStatus {
    const lastMessageAt = this.#lastMessageAt;
    const { staleAfter = Number.POSITIVE_INFINITY } = this.#options;
    const staleAt = Math.max(this.#connectedAt, lastMessageAt ?? 0) + staleAfter;
    if (this.#link.state === "connected" && clock.now() > staleAt) {
      const reason = "Connected, but nothing new has come for a while.";
      return { ...this.#link, state: "stale", reason, since: staleAt, lastMessageAt };
    }
    return { ...this.#link, since: this.#since, lastMessageAt };
  }

  #currentSubscriptions(
    map: ReadonlyMap<string, SubscriptionStatus>,
  ): ReadonlyMap<string, SubscriptionStatus> {
    const next = new Map<string, SubscriptionStatus>();
    for (const view of this.#views) if (!next.has(view.channel)) next.set(view.channel, view.status.get());
    const isSame =
      next.size === map.size && [...next].every(([channel, status]) => map.get(channel) === status);
    return isSame ? map : next;
  }

  #gauges(): Gauges {
    let held = 0;
    for (const view of this.#views) held += view.held;
    return { queued: this.#queue.length, subscriptions: this.#channels.size, held };
  }

  #measure(): void {
    if (this.#measured % MEASURE_EVERY === 0) this.#suspect();
    this.#measured += 1;
  }

  /** Find out whether the connection is alive, if there is one. */
  #suspect(): void {
    if (this.#link.state === "connected") this.#connection.check();
  }

  /** Ask as soon as there is a connection. Reading is asked for again if the connection is lost before the answer. */
  async #request<R extends Request>(request: R, options: RequestOptions = {}): Promise<Answers[R["kind"]]> {
    const { timeout = this.#timeout, ...others } = options;
    const deadline = clock.now() + timeout;
    for (;;) {
      await this.#connected({ ...options, timeout: deadline - clock.now() }, false);
      try {
        const answer = this.#connection.request(request, deadline - clock.now());
        return await limited(others, clock, "", answer);
      } catch (error) {
        if (others.signal?.aborted) throw error;
        if (this.#isClosed) throw new ClosedError("the client was closed");
        if (error instanceof Error) throw error; // no refusal: it cannot be said in JSON
        const refusal = error as Refusal;
        const isLost = refusal.code === Local.notConnected;
        if (!isLost || request.kind === "rpc") throw requestError(refusal);
        await new Promise<void>((resolve) => clock.later(0, resolve)); // the news of the loss may be on its way
      }
    }
  }

  /** Wait for the connection. `isStrict`: do not wait for one that nobody asked for any more. */
  async #connected(options: RequestOptions, isStrict: boolean): Promise<void> {
    options.signal?.throwIfAborted();
    let forget = (): void => {};
    const news = new Promise<void>((resolve, reject) => {
      const look = (isNews: boolean): void => {
        const { state, reason, code } = this.#link;
        if (this.#isClosed) reject(new ClosedError("the client is closed"));
        else if (state === "connected") resolve();
        else if (state === "error" || (state === "disconnected" && isStrict && isNews)) {
          reject(new ConnectionError(reason || "disconnected", code));
        }
      };
      forget = this.#changes.add(() => look(true));
      look(false);
    });
    await limited(options, clock, "there was no connection in time", news).finally(forget);
    options.signal?.throwIfAborted();
  }
}

function requestError({ code, message, temporary }: Refusal): Error {
  if (code === Local.tooLarge) return new TooLargeError("the server takes less than that in one message");
  if (code === Local.timeout) return new TimeoutError("there was no answer in time");
  if (code === Local.notConnected)
    return new ConnectionError("the connection was lost before the answer came", code);
  return new CallError(message, code, temporary);
}
