/**
 * One channel that many follow through one subscription at the server, which outlives the last of them by a moment.
 *
 * Each follower is handed each publication once and in order. What comes again, since somebody had the channel followed
 * anew from an earlier position, reaches only those who did not have it. The server is asked for what serves all; what
 * that brings beyond a follower's own filter is left out here.
 */

import type { Clock } from "./clock.js";
import type { ChannelHandlers, ChannelStatus, Connection, Following, Wish } from "./connection.js";
import { isSame, merged, passes } from "./tabs/wishes.js";
import type { Message, Position } from "./types.js";

/** Long enough for a view that is replaced by another, as a page does when it draws itself anew. */
const LINGER_MS = 1000;

interface Follower {
  wish: Wish;
  readonly handlers: ChannelHandlers;
  /** The offset up to which it needs nothing. */
  heard: number;
  /** Whether what it needs first is still to come, and whatever comes before that comes again. */
  waits: boolean;
}

export class SharedChannel {
  readonly channel: string;
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #ended: () => void;
  readonly #heardOne: (message: Message) => void;
  readonly #followers = new Set<Follower>();
  #following: Following | null = null;
  #wish: Wish | null = null;
  /** Whether followers have filters of their own that the server was not asked for. */
  #isMixed = false;
  #status: ChannelStatus | null = null;
  /** Where it is to be followed from, until it is. */
  #since: Position | null = null;
  #epoch: string | null = null;
  /** Up to which offset there is nothing more to come but for those who catch up. */
  #heard = 0;
  #cancel: (() => void) | undefined;

  /**
   * `ended` is called when it is over, a while after the last follower left; `heard` when a message came, before anybody
   * is handed it.
   */
  constructor(
    channel: string,
    connection: Connection,
    clock: Clock,
    ended: () => void,
    heard: (message: Message) => void = () => {},
  ) {
    this.channel = channel;
    this.#connection = connection;
    this.#clock = clock;
    this.#ended = ended;
    this.#heardOne = heard;
  }

  join(wish: Wish, handlers: ChannelHandlers): Following {
    const follower: Follower = { wish, handlers, heard: this.#heard, waits: false };
    this.#followers.add(follower);
    if (this.#status !== null && this.#status.state !== "unsubscribed")
      handlers.status(this.#forNewcomer(wish));
    this.#adjust(this.#catchUp(follower));
    return {
      change: (changed) => {
        follower.wish = changed;
        this.#adjust(this.#catchUp(follower));
      },
      end: () => {
        if (this.#followers.delete(follower)) this.#settleLater();
      },
    };
  }

  /** End it now, without another word to anybody. */
  close(): void {
    this.#cancel?.();
    this.#followers.clear();
    this.#following?.end();
    this.#following = null;
    this.#ended();
  }

  #forNewcomer({ since }: Wish): ChannelStatus {
    const status = this.#status as ChannelStatus;
    const isElsewhere = since !== null && this.#epoch !== null && since.epoch !== this.#epoch;
    const { position } = status;
    const reached = position && { ...position, offset: Math.max(position.offset, this.#heard) };
    return { ...status, recovered: isElsewhere ? false : null, position: reached };
  }

  /** Where the channel must be followed from, anew, for the sake of one who needs what came before. */
  #catchUp(follower: Follower): Position | null {
    const { since } = follower.wish;
    if (since === null || (this.#epoch !== null && since.epoch !== this.#epoch)) return null;
    follower.heard = since.offset;
    const isBehind = this.#epoch === null || since.offset < this.#heard;
    follower.waits = this.#following === null || this.#since !== null || isBehind;
    const isCovered = this.#since !== null && this.#since.offset <= since.offset;
    return follower.waits && !isCovered ? since : null;
  }

  #settleLater(): void {
    this.#cancel?.();
    this.#cancel = this.#clock.idly(LINGER_MS, () => {
      if (this.#followers.size === 0) this.close();
      else this.#adjust(null);
    });
  }

  #adjust(since: Position | null): void {
    const [first, ...others] = Array.from(this.#followers, (follower) => follower.wish);
    if (first === undefined) return;
    const wish = merged([first, ...others]);
    if (since !== null) this.#since = since;
    this.#isMixed = others.some(({ tags }) => !isSame(tags, first.tags));
    if (this.#following === null) {
      this.#wish = wish;
      this.#following = this.#connection.follow(this.channel, { ...wish, since }, this.#handlers);
    } else if (since !== null || this.#status?.state === "unsubscribed" || !isSame(wish, this.#wish)) {
      this.#wish = wish;
      this.#following.change({ ...wish, since });
    }
  }

  readonly #handlers: ChannelHandlers = {
    status: (status) => {
      this.#status = status;
      const epoch = status.position?.epoch ?? null;
      if (status.state === "subscribed" && epoch !== this.#epoch) {
        this.#epoch = epoch;
        for (const follower of this.#followers) {
          const { since } = follower.wish;
          follower.heard = since !== null && since.epoch === epoch ? since.offset : 0;
        }
      }
      if (status.state === "subscribed") {
        this.#heard = status.position?.offset ?? 0;
        this.#since = null;
        for (const follower of this.#followers) follower.waits = false;
      }
      for (const follower of this.#followers) follower.handlers.status(status);
    },
    publication: (message) => this.#publication(message),
    join: (member) => {
      for (const { wish, handlers } of this.#followers) if (wish.joinLeave) handlers.join(member);
    },
    leave: (member) => {
      for (const { wish, handlers } of this.#followers) if (wish.joinLeave) handlers.leave(member);
    },
    token: () => {
      for (const { wish, handlers } of this.#followers) if (wish.isPrivate) return handlers.token();
      return Promise.reject(new Error("nobody here has a token for this channel"));
    },
  };

  #publication(message: Message): void {
    const { offset } = message;
    if (offset > this.#heard) this.#heard = offset;
    this.#heardOne(message);
    for (const follower of this.#followers) {
      if (offset > 0) {
        if (follower.waits || offset <= follower.heard) continue;
        follower.heard = offset;
      }
      const { wish, handlers } = follower;
      if (!this.#isMixed || wish.tags === null || passes(wish.tags, message.tags))
        handlers.publication(message);
    }
  }
}
