/**
 * One channel as the server sees it: subscribed to on each connection anew, from where the last one ended.
 *
 * A subscription cannot be changed, only ended and made anew. Both commands go out together and are carried out in their
 * order; what is under way meanwhile is still handed over, and comes again with what is recovered.
 */

import type { Clock } from "./clock.js";
import {
  type ChannelHandlers,
  type ChannelStatus,
  type Following,
  Local,
  type Refusal,
  type Wish,
} from "./connection.js";
import { applyDelta } from "./delta.js";
import { memberOf, messageOf } from "./messages.js";
import { channelReason } from "./reasons.js";
import { retryDelay } from "./retry.js";
import type { Push, Session, WirePublication } from "./session.js";
import { noToken, Renewal } from "./tokens.js";
import type { Json, Position } from "./types.js";

const TOKEN_EXPIRED = 109;
/** Endings from here on ask to subscribe again. */
const RESUBSCRIBE = 2500;
const RETRY = { tries: Number.POSITIVE_INFINITY, factor: 2, minDelay: 500, maxDelay: 20_000 };

interface Subscribed {
  readonly recoverable?: boolean;
  readonly positioned?: boolean;
  readonly epoch?: string;
  readonly offset?: number;
  readonly publications?: readonly WirePublication[];
  readonly recovered?: boolean;
  readonly was_recovering?: boolean;
  readonly delta?: boolean;
  readonly expires?: boolean;
  readonly ttl?: number;
}

export class Followed implements Following {
  readonly #channel: string;
  readonly #handlers: ChannelHandlers;
  readonly #clock: Clock;
  readonly #gone: () => void;
  readonly #renewal: Renewal;
  #wish: Wish;
  #session: Session | null = null;
  /** Each subscribing has a number; what belongs to an earlier one is void. */
  #turn = 0;
  #isRefused = false;
  #token = "";
  /** Where the next subscription begins, if that is not where the last one ends. */
  #since: Position | null;
  #position: Position | null = null;
  #recovered: boolean | null = null;
  /** Whether there was a subscription, so that publications are for it. */
  #hasBegun = false;
  /** Whether the subscription is a new one because of a changed wish, and not because of a lost connection. */
  #isReplacement = false;
  #hasDeltas = false;
  #before: Uint8Array = new Uint8Array();
  #failures = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(channel: string, wish: Wish, handlers: ChannelHandlers, clock: Clock, gone: () => void) {
    this.#channel = channel;
    this.#wish = wish;
    this.#since = wish.since;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#gone = gone;
    this.#renewal = new Renewal(clock, () => void this.#renew());
  }

  /** There is a connection. */
  attach(session: Session): void {
    this.#session = session;
    if (!this.#isRefused) void this.#subscribe();
  }

  /** There is none any more. */
  detach(): void {
    const wasAttached = this.#session !== null;
    this.#session = null;
    this.#stop();
    if (wasAttached && !this.#isRefused) this.#tell("subscribing", Local.notConnected);
  }

  change(wish: Wish): void {
    this.#wish = wish;
    if (wish.since !== null) this.#since = wish.since;
    this.#isReplacement = this.#hasBegun;
    if (this.#session === null) return;
    if (!this.#isRefused) this.#unsubscribe();
    this.#isRefused = false;
    void this.#subscribe();
  }

  end(): void {
    this.#stop();
    if (!this.#isRefused) this.#unsubscribe();
    this.#gone();
  }

  push({ pub, join, leave, unsubscribe }: Push): void {
    if (!this.#hasBegun) return; // left over from the last who followed this channel
    if (pub !== undefined) this.#take(pub);
    else if (join !== undefined) this.#handlers.join(memberOf(join.info));
    else if (leave !== undefined) this.#handlers.leave(memberOf(leave.info));
    else if (unsubscribe !== undefined && unsubscribe.code >= RESUBSCRIBE) void this.#subscribe();
    else if (unsubscribe !== undefined) this.#refuse(unsubscribe.code, unsubscribe.reason);
  }

  #stop(): void {
    this.#turn += 1;
    this.#renewal.stop();
    this.#cancelRetry?.();
  }

  #unsubscribe(): void {
    this.#session?.ask("unsubscribe", { channel: this.#channel }, () => {});
  }

  async #subscribe(): Promise<void> {
    this.#stop();
    const turn = this.#turn;
    this.#tell("subscribing", 0);
    if (this.#wish.isPrivate && this.#token === "") {
      try {
        this.#token = await this.#handlers.token();
      } catch (error) {
        if (turn === this.#turn) this.#failed(error);
        return;
      }
      if (turn !== this.#turn) return;
    }
    this.#session?.ask("subscribe", this.#request(), (refusal, result) => {
      if (turn !== this.#turn) return;
      if (refusal === null) this.#subscribed(result as Subscribed);
      else this.#notSubscribed(refusal);
    });
  }

  #request(): object {
    const { recover, tags, delta, joinLeave, data, rate } = this.#wish;
    const asked: Record<string, Json> = { ...data };
    if (rate > 0) asked["vagus"] = { rate };
    const since = this.#since ?? this.#position;
    return {
      channel: this.#channel,
      recoverable: recover,
      join_leave: joinLeave,
      ...(this.#token !== "" && { token: this.#token }),
      ...((rate > 0 || data !== null) && { data: asked }),
      ...(since !== null && { recover: true, ...since }),
      ...(tags !== null && { tf: tags }),
      ...(delta && tags === null && { delta: "fossil" }),
    };
  }

  #subscribed(result: Subscribed): void {
    const { recoverable = false, positioned = false, epoch = "", offset = 0, publications = [] } = result;
    const { recovered = false, was_recovering: wasRecovering = false, delta = false } = result;
    const withoutAsking = this.#hasBegun && !this.#isReplacement ? false : this.#recovered;
    this.#recovered = wasRecovering ? recovered : withoutAsking;
    this.#hasBegun = true;
    this.#isReplacement = false;
    this.#hasDeltas = delta;
    this.#failures = 0;
    this.#since = null;
    this.#position = recoverable || positioned ? { offset, epoch } : null;
    this.#renewal.plan(result);
    this.#tell("subscribed", 0);
    for (const publication of publications) this.#take(publication);
  }

  #notSubscribed({ code, message, temporary }: Refusal): void {
    if (code < 100) return; // the connection is lost, and another one will ask again
    if (code === TOKEN_EXPIRED && this.#wish.isPrivate) this.#token = "";
    if (temporary || (code === TOKEN_EXPIRED && this.#wish.isPrivate)) this.#again(code, message);
    else this.#refuse(code, message);
  }

  #failed(error: unknown): void {
    const { isFinal, message } = noToken(error);
    if (isFinal) this.#refuse(Local.unauthorized, message);
    else this.#again(Local.noToken, message);
  }

  #again(code: number, said: string): void {
    this.#tell("subscribing", code, said);
    this.#cancelRetry = this.#clock.later(retryDelay(this.#failures, RETRY), () => void this.#subscribe());
    this.#failures += 1;
  }

  #refuse(code: number, said: string): void {
    this.#stop();
    this.#isRefused = true;
    this.#token = "";
    this.#position = null;
    this.#tell("unsubscribed", code, said);
  }

  async #renew(): Promise<void> {
    const turn = this.#turn;
    try {
      this.#token = await this.#handlers.token();
    } catch (error) {
      const { isFinal, message } = noToken(error);
      if (turn !== this.#turn) return;
      if (!isFinal) return this.#renewal.postpone();
      this.#unsubscribe();
      return this.#refuse(Local.unauthorized, message);
    }
    if (turn !== this.#turn) return;
    this.#session?.ask("sub_refresh", { channel: this.#channel, token: this.#token }, (refusal, result) => {
      if (turn !== this.#turn) return;
      if (refusal === null) this.#renewal.plan(result as Subscribed);
      else if (refusal.temporary) this.#renewal.postpone();
      else this.#refuse(refusal.code, refusal.message);
    });
  }

  #take(publication: WirePublication): void {
    const data = this.#hasDeltas ? this.#whole(publication) : publication.data;
    if (publication.offset !== undefined && this.#position !== null) {
      this.#position = { offset: publication.offset, epoch: this.#position.epoch };
    }
    this.#handlers.publication(messageOf(this.#channel, publication, data, this.#clock.now()));
  }

  /** Where differences are agreed on, data is text: the whole, or its difference to the last one. */
  #whole({ data, delta = false }: WirePublication): unknown {
    const bytes = new TextEncoder().encode(String(data));
    this.#before = delta ? applyDelta(this.#before, bytes) : bytes;
    return JSON.parse(new TextDecoder().decode(this.#before));
  }

  #tell(state: ChannelStatus["state"], code: number, said = ""): void {
    const reason = channelReason(code, said);
    this.#handlers.status({ state, reason, code, recovered: this.#recovered, position: this.#position });
  }
}
