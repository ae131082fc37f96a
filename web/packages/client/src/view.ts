/**
 * One consumer's view of a channel: a bounded buffer, told of at the consumer's own pace.
 *
 * A message costs a place in the ring and a look at the throttle. Arrays are made when somebody asks, tellings happen
 * once an interval. What a listener must be handed is kept until then, and handed over early when it becomes much.
 */

import type { Clock } from "./clock.js";
import type { ChannelHandlers, ChannelStatus, Following, Wish } from "./connection.js";
import type { Counts } from "./figures.js";
import { nodeOf } from "./filters.js";
import { Roster } from "./members.js";
import { checkPosition } from "./options.js";
import { Polled, type Ticker, unlessSame } from "./polled.js";
import { Ring } from "./ring.js";
import { Listeners, Value } from "./store.js";
import { Throttle } from "./throttle.js";
import type {
  Member,
  Message,
  PublishOptions,
  Receipt,
  Store,
  SubscribeOptions,
  Subscription,
  SubscriptionStatus,
} from "./types.js";

const MOST_KEPT = 100_000;
/** Messages that a batch may gather before it is handed over, however long the interval has yet to go. */
const MOST_GATHERED = 10_000;

/** What a view needs of its client. */
export interface ViewHost {
  readonly clock: Clock;
  readonly ticker: Ticker;
  readonly counts: Counts;
  /** The least time between two tellings, given what the view asks for. */
  interval(throttle: number): number;
  follow(channel: string, wish: Wish, handlers: ChannelHandlers): Following;
  publish(channel: string, data: unknown, options: PublishOptions | undefined): Promise<Receipt>;
  presence(channel: string): Promise<readonly Member[]>;
  changed(): void;
  closed(view: View<unknown>): void;
}

export class View<T> implements Subscription<T> {
  readonly channel: string;
  readonly messages: Store<readonly Message<T>[]>;
  readonly latest: Store<Message<T> | undefined>;
  readonly status: Polled<SubscriptionStatus>;
  readonly #members = new Value<readonly Member[]>([]);
  readonly members: Store<readonly Member[]> = this.#members;
  readonly #host: ViewHost;
  readonly #options: SubscribeOptions;
  readonly #isLatestOnly: boolean;
  readonly #ring: Ring<Message<T>>;
  readonly #throttle: Throttle;
  readonly #told = new Listeners();
  readonly #batches = new Listeners<[readonly Message<T>[]]>();
  readonly #roster = new Roster();
  readonly #following: Following;
  #batch: Message<T>[] = [];
  #newest: Message<T> | undefined;
  #latest: Message<T> | undefined;
  #pending = 0;
  #loads = 0;
  #snapshot: readonly Message<T>[] | null = [];
  #channelStatus: ChannelStatus | null = null;
  #subscribedAt: number | null = null;
  #isClosed = false;

  constructor(channel: string, options: SubscribeOptions, host: ViewHost) {
    const { throttle = 1000, keep = 100, deliver = "all" } = options;
    if (!(throttle >= 0 && throttle < 2 ** 31))
      throw new RangeError("throttle is 0 or more, in milliseconds");
    if (!(Number.isInteger(keep) && keep >= 0 && keep <= MOST_KEPT)) {
      throw new RangeError(`keep is a whole number from 0 to ${MOST_KEPT}`);
    }
    checkPosition(options.since ?? null);
    this.channel = channel;
    this.#host = host;
    this.#options = options;
    this.#isLatestOnly = deliver === "latest";
    this.#ring = new Ring(keep);
    this.#throttle = new Throttle(
      () => host.interval(throttle),
      () => this.#tell(),
      host.clock,
    );
    const subscribe = (listener: () => void): (() => void) => this.#told.add(listener);
    this.messages = { subscribe, get: () => (this.#snapshot ??= this.#ring.toArray()) };
    this.latest = { subscribe, get: () => this.#latest };
    this.status = new Polled(BEGINNING, (status) => unlessSame(status, this.#currentStatus()), host.ticker);
    this.#following = host.follow(channel, this.#wish(), this.#handlers());
  }

  /** Messages in the buffer. */
  get held(): number {
    return this.#ring.size;
  }

  listen(listener: (batch: readonly Message<T>[]) => void): () => void {
    return this.#batches.add(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<Message<T>> {
    return this.#walk(this.#ring.end);
  }

  publish(data: T, options?: PublishOptions): Promise<Receipt> {
    return this.#host.publish(this.channel, data, options);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#throttle.stop();
    this.#following.end();
    this.#told.tell(); // iterators see that it is over
    this.#told.clear();
    this.#batches.clear();
    this.status.close();
    this.#host.closed(this as View<unknown>);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** What it asks for may have changed, with the person's preferences. */
  adjust(): void {
    this.#following.change(this.#wish());
  }

  #wish(): Wish {
    const { recover = true, since = null, tags, delta = false, members = false, data = null } = this.#options;
    const interval = this.#host.interval(this.#options.throttle ?? 1000);
    return {
      recover,
      since,
      tags: tags === undefined ? null : nodeOf(tags),
      delta,
      joinLeave: members,
      data,
      rate: this.#isLatestOnly && interval > 0 ? Math.min(1000, Math.max(0.01, 1000 / interval)) : 0,
      isPrivate: this.#options.getToken !== undefined,
    };
  }

  #handlers(): ChannelHandlers {
    return {
      status: (status) => {
        const isAgain = this.#channelStatus?.state === "subscribed";
        this.#channelStatus = status;
        if (status.state === "subscribed") {
          this.#subscribedAt = this.#host.clock.now();
          if (this.#options.members === true && !isAgain) void this.#loadMembers();
        }
        this.status.refresh();
        this.#host.changed();
      },
      publication: (message) => this.#take(message as Message<T>),
      join: (member) => this.#note(member, true),
      leave: (member) => this.#note(member, false),
      token: () => {
        const { getToken } = this.#options;
        if (getToken === undefined) return Promise.reject(new Error("this view was given no getToken"));
        return getToken(this.channel);
      },
    };
  }

  async *#walk(begin: number): AsyncGenerator<Message<T>, void, undefined> {
    let place = begin;
    while (!this.#isClosed) {
      this.#host.counts.dropped += Math.max(0, this.#ring.begin - place);
      place = Math.max(place, this.#ring.begin);
      const message = this.#ring.at(place);
      if (message === undefined) await this.#nextTelling();
      else {
        place += 1;
        yield message;
      }
    }
  }

  async #nextTelling(): Promise<void> {
    let stop = (): void => {};
    await new Promise<void>((resolve) => {
      stop = this.#told.add(resolve);
    });
    stop();
  }

  #take(message: Message<T>): void {
    this.#newest = message;
    this.#pending += 1;
    if (!this.#isLatestOnly) {
      this.#ring.push(message);
      if (this.#batches.size > 0 && this.#batch.push(message) >= MOST_GATHERED) return this.#throttle.flush();
    }
    this.#throttle.note();
  }

  #tell(): void {
    const { counts } = this.#host;
    const count = this.#pending;
    const newest = this.#newest;
    if (newest === undefined) return;
    this.#pending = 0;
    if (this.#isLatestOnly) {
      this.#ring.push(newest);
      counts.dropped += count - 1;
    } else if (this.#batches.size === 0) {
      counts.dropped += Math.max(0, count - this.#ring.capacity);
    }
    if (this.#told.size + this.#batches.size > 0) {
      counts.told += 1;
      counts.saved += count - 1;
    }
    this.#snapshot = null;
    this.#latest = newest;
    const batch = this.#isLatestOnly ? [newest] : this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.#batches.tell(batch);
    this.#told.tell();
  }

  #note(member: Member, isHere: boolean): void {
    if (this.#roster.note(member, isHere)) this.#members.set(this.#roster.list);
  }

  async #loadMembers(): Promise<void> {
    this.#roster.begin();
    this.#loads += 1;
    const load = this.#loads;
    const members = await this.#host.presence(this.channel).catch(() => null);
    if (this.#isClosed || load !== this.#loads) return;
    this.#roster.load(members);
    this.#members.set(this.#roster.list);
  }

  #currentStatus(): SubscriptionStatus {
    const { state, reason, code, recovered } = this.#channelStatus ?? BEGINNING;
    const lastMessageAt = this.#newest?.receivedAt ?? null;
    const { staleAfter = Number.POSITIVE_INFINITY } = this.#options;
    const heardAt = Math.max(lastMessageAt ?? 0, this.#subscribedAt ?? Number.POSITIVE_INFINITY);
    const isStale = this.#host.clock.now() - heardAt > staleAfter;
    if (this.#isClosed) return { ...BEGINNING, state: "unsubscribed", recovered, lastMessageAt };
    return { state, reason, code, recovered, lastMessageAt, isStale };
  }
}

const BEGINNING: SubscriptionStatus = {
  state: "subscribing",
  reason: "",
  code: 0,
  recovered: null,
  lastMessageAt: null,
  isStale: false,
};
