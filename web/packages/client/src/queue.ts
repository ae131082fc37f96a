/**
 * What is to be sent, in the order in which it was said: publications, each made once, and events.
 *
 * Everything goes through here, connected or not. One batch at a time is under way; what is said meanwhile makes up the
 * next one. Each publication carries a key by which the server knows it again, so that a batch whose answer was lost is
 * sent once more without being made twice (the server remembers keys for five minutes). A refusal that will stay one
 * rejects its item and the next go on; one that may pass is tried again, and nothing overtakes it.
 *
 * An event has no answer. It counts as sent when it was written to a connection, and is lost if that dies just then.
 */

import type { Clock } from "./clock.js";
import { type Connection, Local, type Refusal } from "./connection.js";
import { ClosedError, PublishError, QueueFullError, TooLargeError } from "./errors.js";
import { limit } from "./limits.js";
import { retryDelay } from "./retry.js";
import type { Json, PublishOptions, QueueOptions, Receipt, RequestOptions } from "./types.js";

/** The most that the server takes in one call. */
const BATCH_ITEMS = 100;
/** Batches stay well below the server's limit for a message, single items below this one. */
const BATCH_BYTES = 30_000;
const ITEM_BYTES = 60_000;
const RETRY = { tries: Number.POSITIVE_INFINITY, factor: 2, minDelay: 250, maxDelay: 10_000 };

type Send = Pick<Connection, "request" | "check">;

interface Item {
  /** The publication, or the event, as JSON: what is sent is what it was when it was said. */
  readonly text: string;
  readonly size: number;
  readonly isEvent: boolean;
  isSettled: boolean;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (reason: unknown) => void;
  /** Removes its timer and its listener. */
  release: () => void;
}

type Result =
  | { readonly offset: number; readonly epoch: string; readonly repeated?: boolean }
  | { readonly error: Refusal };

const EVENT_SENT: Receipt = { offset: 0, epoch: "", repeated: false };

export class Queue {
  readonly #connection: Send;
  readonly #clock: Clock;
  readonly #timeout: number;
  readonly #size: number;
  readonly #dropsOldest: boolean;
  readonly #keys = keys();
  #items: Item[] = [];
  /** How many at the head are under way. */
  #underWay = 0;
  /** How many at the head must go one by one, since the server refused them as a whole. */
  #oneByOne = 0;
  #isConnected = false;
  #isPumping = false;
  #failures = 0;
  #cancelPause: (() => void) | undefined;
  #isClosed = false;

  /** `timeout` is for one answer of the server; items wait for as long as their own options say. */
  constructor(connection: Send, clock: Clock, timeout: number, options: QueueOptions = {}) {
    const { size = 1000, whenFull = "refuse" } = options;
    if (!(Number.isInteger(size) && size >= 1))
      throw new RangeError("queue.size is a whole number from 1 on");
    this.#connection = connection;
    this.#clock = clock;
    this.#timeout = timeout;
    this.#size = size;
    this.#dropsOldest = whenFull === "drop-oldest";
  }

  get length(): number {
    return this.#items.length;
  }

  publish(channel: string, data: unknown, options: PublishOptions = {}): Promise<Receipt> {
    const { key = this.#keys(), tags } = options;
    if (data === undefined)
      return Promise.reject(new TypeError("there is nothing to publish: data is undefined"));
    if (key.length < 1 || key.length > 64)
      return Promise.reject(new RangeError("a key has 1 to 64 characters"));
    return this.#add(false, { channel, data, key, ...(tags === undefined ? null : { tags }) }, options);
  }

  async send(type: string, payload: Json | undefined): Promise<void> {
    await this.#add(true, { type, payload });
  }

  setConnected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    if (!isConnected) return;
    this.#failures = 0;
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    this.#pump();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelPause?.();
    for (const item of this.#items)
      settle(item, () => item.reject(new ClosedError("closed before it was sent")));
    this.#items = [];
  }

  #add(isEvent: boolean, value: object, options: RequestOptions = {}): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) throw new ClosedError("the client is closed");
      options.signal?.throwIfAborted();
      const text = JSON.stringify(value);
      const size = new TextEncoder().encode(text).length;
      if (size > ITEM_BYTES)
        throw new TooLargeError(`${size} bytes are more than the ${ITEM_BYTES} of one message`);
      this.#makeRoom();
      const item: Item = { text, size, isEvent, isSettled: false, resolve, reject, release: () => {} };
      this.#items.push(item);
      item.release = limit(options, this.#clock, "not sent in time", (reason) => this.#giveUp(item, reason));
      queueMicrotask(() => this.#pump()); // what is said in one go is sent in one go
    });
  }

  #makeRoom(): void {
    if (this.#items.length < this.#size) return;
    const oldest = this.#items[this.#underWay];
    if (!this.#dropsOldest || oldest === undefined) {
      throw new QueueFullError(`${this.#items.length} messages wait to be sent already`);
    }
    this.#giveUp(oldest, new QueueFullError("pushed out of the full queue by a newer message"));
  }

  #giveUp(item: Item, reason: unknown): void {
    settle(item, () => item.reject(reason));
    const place = this.#items.indexOf(item);
    if (place >= this.#underWay) this.#items.splice(place, 1); // what is under way leaves with its batch
  }

  #pump(): void {
    if (!this.#isPumping) void this.#send();
  }

  async #send(): Promise<void> {
    this.#isPumping = true;
    while (this.#isConnected && this.#cancelPause === undefined && this.#items.length > 0) {
      const batch = this.#nextBatch();
      if (batch.length === 0) continue; // all of it was given up
      this.#underWay = batch.length;
      const refusal = await this.#deliver(batch);
      this.#underWay = 0;
      if (refusal === null) this.#failures = 0;
      else this.#pause(refusal);
    }
    this.#isPumping = false;
  }

  /** What goes next, cut from the head of the queue down to what is still wanted: one event, or publications. */
  #nextBatch(): readonly Item[] {
    this.#items = this.#items.filter((item) => !item.isSettled);
    const [first] = this.#items;
    if (first === undefined) return [];
    if (first.isEvent || this.#oneByOne > 0) return [first];
    let bytes = 0;
    const end = this.#items.findIndex((item, place) => {
      bytes += item.size;
      return item.isEvent || place === BATCH_ITEMS || (place > 0 && bytes > BATCH_BYTES);
    });
    return this.#items.slice(0, end === -1 ? undefined : end);
  }

  /** Returns why it must be tried again, if it must. */
  async #deliver(batch: readonly Item[]): Promise<Refusal | null> {
    const [first] = batch as [Item];
    const values: unknown[] = batch.map((item) => JSON.parse(item.text));
    try {
      if (first.isEvent) {
        await this.#connection.request({ kind: "send", data: values[0] }, this.#timeout);
        this.#done(first, EVENT_SENT);
        return null;
      }
      const call = { kind: "rpc", method: "vagus.publish", data: { publications: values } } as const;
      const { results } = (await this.#connection.request(call, this.#timeout)) as {
        results: readonly Result[];
      };
      return this.#settle(batch, results);
    } catch (error) {
      return this.#failed(batch, error as Refusal);
    }
  }

  #settle(batch: readonly Item[], results: readonly Result[]): Refusal | null {
    for (const [place, item] of batch.entries()) {
      const result = results[place];
      if (result === undefined) return null; // it stopped here, for no reason that lasts
      if (!("error" in result)) this.#done(item, { ...result, repeated: result.repeated ?? false });
      else if (result.error.temporary) return result.error;
      else this.#refuse(item, result.error);
    }
    return null;
  }

  /** The whole was refused or lost. */
  #failed(batch: readonly Item[], refusal: Refusal): Refusal | null {
    const [first] = batch as [Item];
    if (refusal.code === Local.timeout) this.#connection.check();
    if (refusal.temporary) return refusal;
    if (batch.length === 1) this.#refuse(first, refusal);
    else this.#oneByOne = batch.length; // one of them may have spoilt it for all
    return null;
  }

  #done(item: Item, receipt: Receipt): void {
    settle(item, () => item.resolve(receipt));
    this.#leave(item);
  }

  #refuse(item: Item, { code, message }: Refusal): void {
    const error =
      code === Local.tooLarge
        ? new TooLargeError("the server takes less than that in one message")
        : new PublishError(message, code, false);
    settle(item, () => item.reject(error));
    this.#leave(item);
  }

  #leave(item: Item): void {
    this.#items.splice(this.#items.indexOf(item), 1);
    this.#underWay -= 1;
    if (this.#oneByOne > 0) this.#oneByOne -= 1;
  }

  #pause({ code }: Refusal): void {
    if (!this.#isConnected && code === Local.notConnected) return; // it says when it is back
    const resume = (): void => {
      this.#cancelPause = undefined;
      this.#pump();
    };
    this.#cancelPause = this.#clock.later(retryDelay(this.#failures, RETRY), resume);
    this.#failures += 1;
  }
}

function settle(item: Item, tell: () => void): void {
  if (item.isSettled) return;
  item.isSettled = true;
  item.release();
  tell();
}

/** Names that nobody else gives. `randomUUID` is not to be had on pages that came over plain HTTP. */
function keys(): () => string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  const prefix = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
