/**
 * One tab, as the worker sees it: a port that takes lists of events, and gives tokens when it is asked.
 *
 * Events keep their order. A tab that takes nothing for too long, or so slowly that too much would pile up, is let go:
 * it then connects by itself, and goes on from where it was.
 */

import { awaitEnd, PING_MS, SILENCE_MS } from "./life.js";
import type { FromTab, FromWorker, TokenAnswer } from "./messages.js";

/** Events that a tab may have before it, sent or waiting to be. */
const BACKLOG = 50_000;
/** How long a tab has to fetch a token, if there are others to ask. */
const TOKEN_MS = 3_000;

export class Tab {
  readonly #port: MessagePort;
  readonly #left: () => void;
  readonly #asked = new Map<number, (answer: TokenAnswer | null) => void>();
  #outbox: FromWorker[] = [];
  #untaken = 0;
  #heardAt = Date.now();
  #number = 0;
  #watch: ReturnType<typeof setInterval> | undefined;
  #isGone = false;

  /** `took` is handed what the tab says, `left` is called once when it is gone. */
  constructor(port: MessagePort, took: (message: FromTab) => void, left: () => void) {
    this.#port = port;
    this.#left = left;
    this.#watch = setInterval(() => this.#look(), PING_MS);
    port.addEventListener("message", ({ data }: MessageEvent<FromTab>) => this.#take(data, took));
    port.start();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  post(event: FromWorker): void {
    if (this.#isGone) return;
    this.#outbox.push(event);
    if (this.#outbox.length === 1) setTimeout(() => this.#flush(), 0);
    if (this.#outbox.length + this.#untaken > BACKLOG) this.letGo();
  }

  /** Have the tab fetch a token; `null` if it does not answer within `limit` milliseconds. */
  async token(following: number | null, limit: number | null): Promise<string | null> {
    const answer = await this.#ask(following, limit);
    if (answer === null) return null;
    if ("token" in answer) return answer.token;
    throw answer.error;
  }

  /** Tell the tab that it is on its own from now on. */
  letGo(): void {
    if (this.#isGone) return;
    this.#port.postMessage([{ kind: "gone" }] satisfies FromWorker[]);
    this.#leave();
  }

  #ask(following: number | null, limit: number | null): Promise<TokenAnswer | null> {
    if (this.#isGone) return Promise.resolve(null);
    const id = ++this.#number;
    return new Promise((resolve) => {
      const timer = limit === null ? undefined : setTimeout(() => this.#answered(id, null), limit);
      this.#asked.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.post({ kind: "token", id, following });
    });
  }

  #answered(id: number, answer: TokenAnswer | null): void {
    this.#asked.get(id)?.(answer);
    this.#asked.delete(id);
  }

  #take(message: FromTab, took: (message: FromTab) => void): void {
    if (this.#isGone) return;
    this.#heardAt = Date.now();
    switch (message.kind) {
      case "taken":
        this.#untaken -= message.count;
        return;
      case "alive":
        clearInterval(this.#watch);
        awaitEnd(message.lock, () => this.#leave());
        return;
      case "answer":
        return this.#answered(message.id, message.token);
      case "bye":
        return this.#leave();
      default:
        took(message);
    }
  }

  #flush(): void {
    if (this.#isGone) return;
    const events = this.#outbox;
    this.#outbox = [];
    this.#untaken += events.length;
    this.#port.postMessage(events);
  }

  /** Without a lock: whoever takes nothing is gone. */
  #look(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) this.letGo();
    else this.post({ kind: "ping" });
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    clearInterval(this.#watch);
    this.#port.close();
    for (const answered of this.#asked.values()) answered(null);
    this.#left();
  }
}

/** Where to ask for a token: a tab, and the number by which it follows the channel that needs it. */
export interface TokenSource {
  readonly tab: Tab;
  readonly following: number | null;
}

/** A token from the first who answers. Only the last may take its time. */
export async function firstToken(sources: readonly TokenSource[]): Promise<string> {
  for (const [index, { tab, following }] of sources.entries()) {
    const token = await tab.token(following, index < sources.length - 1 ? TOKEN_MS : null);
    if (token !== null) return token;
  }
  throw new Error("no tab is there to fetch a token");
}
