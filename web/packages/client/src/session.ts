/**
 * One connection from its beginning to its end: commands go out with numbers, replies and pushes come in.
 *
 * Everything that comes is handled within the turn that brought it, in its order. It does not repair itself: when it is
 * over it says so once, and what was asked and not answered is refused.
 */

import type { Clock } from "./clock.js";
import { type Endpoint, Local, type Refusal } from "./connection.js";
import { guarded } from "./store.js";
import { type Carrier, carry } from "./transports.js";

/** The close code of WebSocket for a message over the receiver's limit. */
const MESSAGE_TOO_BIG = 1009;
/** The server takes 64 KB in one message, and a character has up to three bytes. */
const MESSAGE_LENGTH = 20_000;
/** How much longer than the time between two pings may pass without one. */
const PING_GRACE_MS = 10_000;

export interface Push {
  readonly channel?: string;
  readonly pub?: WirePublication;
  readonly join?: { readonly info: WireMember };
  readonly leave?: { readonly info: WireMember };
  readonly unsubscribe?: { readonly code: number; readonly reason: string };
  readonly message?: { readonly data: unknown };
  readonly disconnect?: { readonly code: number; readonly reason: string };
}

export interface WirePublication {
  readonly data: unknown;
  readonly offset?: number;
  readonly tags?: Readonly<Record<string, string>>;
  readonly info?: WireMember;
  readonly delta?: boolean;
}

export interface WireMember {
  readonly client: string;
  readonly user: string;
  readonly conn_info?: unknown;
  readonly chan_info?: unknown;
}

interface Reply {
  readonly id?: number;
  readonly push?: Push;
  readonly error?: Pick<Refusal, "code"> & Partial<Refusal>;
  readonly [name: string]: unknown;
}

interface Connected {
  readonly client: string;
  readonly ping?: number;
  readonly pong?: boolean;
  readonly session?: string;
  readonly node?: string;
  readonly expires?: boolean;
  readonly ttl?: number;
}

export interface SessionHandlers {
  connected(result: Connected): void;
  push(push: Push): void;
  /** Over. The code is the server's, or one of `Local`; what is not `temporary` will not change by coming back. */
  ended(why: Refusal): void;
}

export type Answered = (refusal: Refusal | null, result: unknown) => void;

interface Waiting {
  readonly name: string;
  readonly size: number;
  readonly answered: Answered;
}

export class Session {
  readonly transport: Endpoint["transport"];
  readonly #clock: Clock;
  readonly #handlers: SessionHandlers;
  readonly #carrier: Carrier;
  readonly #waiting = new Map<number, Waiting>();
  #number = 0;
  #pending: string[] = [];
  #hasHeard = false;
  #isOver = false;
  #pingMs = 0;
  #ponged = false;
  #session = "";
  #node = "";
  #cancelSilence: (() => void) | undefined;

  constructor(
    endpoint: Endpoint,
    emulation: string,
    webSocket: unknown,
    connect: object,
    clock: Clock,
    handlers: SessionHandlers,
  ) {
    this.transport = endpoint.transport;
    this.#clock = clock;
    this.#handlers = handlers;
    const first = this.#numbered("connect", connect, (refusal, result) => {
      if (refusal !== null) this.#end(refusal);
      else this.#connected(result as Connected);
    });
    this.#carrier = carry(endpoint, emulation, webSocket, first, {
      text: (text) => this.#read(text),
      closed: (code, reason) => this.#closed(code, reason),
    });
  }

  /** Whether the server has said anything, so that the way to it is open. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** Send a command; `answered` is called within the turn that brings the reply. */
  ask(name: string, request: object, answered: Answered): void {
    this.#post(this.#numbered(name, request, answered));
  }

  tell(name: string, request: object): void {
    this.#post(jsonOf({ [name]: request }));
  }

  /** End it, without another word. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelSilence?.();
    this.#carrier.close();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { name, answered } of waiting) if (name !== "connect") answered(LOST, null);
  }

  #numbered(name: string, request: object, answered: Answered): string {
    this.#number += 1;
    const text = jsonOf({ id: this.#number, [name]: request });
    this.#waiting.set(this.#number, { name, size: text.length, answered });
    return text;
  }

  /** What is said in one go is sent in one go. */
  #post(text: string): void {
    if (this.#pending.push(text) > 1) return;
    queueMicrotask(() => {
      const messages = joined(this.#pending);
      this.#pending = [];
      for (const lines of messages) if (!this.#isOver) this.#carrier.send(lines, this.#session, this.#node);
    });
  }

  #connected(result: Connected): void {
    this.#session = result.session ?? "";
    this.#node = result.node ?? "";
    this.#pingMs = (result.ping ?? 0) * 1000;
    this.#ponged = result.pong ?? false;
    this.#awaitPing();
    this.#handlers.connected(result);
  }

  #awaitPing(): void {
    this.#cancelSilence?.();
    if (this.#pingMs === 0) return;
    this.#cancelSilence = this.#clock.later(this.#pingMs + PING_GRACE_MS, () =>
      this.#end(refusal(Local.timeout, "")),
    );
  }

  #read(text: string): void {
    this.#hasHeard = true;
    this.#awaitPing();
    for (const line of text.split("\n")) {
      if (this.#isOver) return;
      if (line !== "") guarded(() => this.#take(JSON.parse(line) as Reply));
    }
  }

  #take({ id = 0, push, error, ...results }: Reply): void {
    if (push?.disconnect !== undefined) this.#closed(push.disconnect.code, push.disconnect.reason);
    else if (push !== undefined) this.#handlers.push(push);
    else if (id === 0) {
      if (this.#ponged) this.#post("{}");
    } else {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      waiting?.answered(
        error === undefined ? null : { message: "", temporary: false, ...error },
        results[waiting.name],
      );
    }
  }

  #closed(code: number, reason: string): void {
    if (code === MESSAGE_TOO_BIG) this.#tooLarge();
    else if (code < 3000) this.#end(refusal(Local.notConnected, ""));
    else this.#end(refusal(code, reason, code % 1000 < 500)); // the upper half says not to come back
  }

  /** A call that was too large is refused alone. Whatever else was would be said again to the next connection. */
  #tooLarge(): void {
    const [largest] = [...this.#waiting].sort(([, one], [, other]) => other.size - one.size);
    const isCall = largest?.[1].name === "rpc";
    if (isCall) {
      this.#waiting.delete(largest[0]);
      largest[1].answered(refusal(Local.tooLarge, "", false), null);
    }
    this.#end(refusal(Local.tooLarge, "", isCall));
  }

  #end(why: Refusal): void {
    if (this.#isOver) return;
    this.close();
    this.#handlers.ended(why);
  }
}

/** JSON that is Unicode too: half a character, as of an emoji that was cut in two, would cost the connection. */
function jsonOf(value: object): string {
  return JSON.stringify(value).replace(/\\(?:\\|ud[89a-f]..)/g, (escaped) =>
    escaped === "\\\\" ? escaped : "\\ufffd",
  );
}

/** Lines in messages as the server takes them, when there is much to say, such as many channels with their tokens. */
function joined(lines: readonly string[]): string[] {
  const messages: string[] = [];
  for (const line of lines) {
    const last = messages.at(-1);
    if (last === undefined || last.length + line.length > MESSAGE_LENGTH) messages.push(line);
    else messages[messages.length - 1] = `${last}\n${line}`;
  }
  return messages;
}

const refusal = (code: number, message: string, temporary = true): Refusal => ({ code, message, temporary });

const LOST = refusal(Local.notConnected, "the connection was lost");
