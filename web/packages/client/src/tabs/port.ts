/**
 * A connection that a worker keeps for this tab and others: what it is asked goes over a port, what comes back is told.
 *
 * It never repairs itself. When the worker does not start, is of another version, dies, or lets go of this tab, it calls
 * `failed` once, refuses what waits, and is over; `tabs.ts` knows what to do then.
 */

import {
  type Answers,
  type ChannelHandlers,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  type Following,
  Local,
  type Refusal,
  type Request,
  type Wish,
} from "../connection.js";
import { awaitEnd, hasLocks, holdLife, PING_MS, SILENCE_MS } from "./life.js";
import { type FromTab, type FromWorker, type TokenAnswer, type TokenError, VERSION } from "./messages.js";

/** How long a worker may take to start. */
const START_MS = 2_000;

/** A connection that is wanted from its beginning to its end. */
export type Carrier = Omit<Connection, "connect" | "disconnect">;

interface Waiting {
  resolve(answer: Answers[keyof Answers]): void;
  reject(refusal: Refusal): void;
}

export class PortConnection implements Carrier {
  readonly #port: MessagePort;
  readonly #handlers: ConnectionHandlers;
  readonly #failed: () => void;
  readonly #followed = new Map<number, ChannelHandlers>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #release: () => void;
  #stopWaiting: (() => void) | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;
  #number = 0;
  #isOver = false;

  constructor(
    worker: SharedWorker,
    options: ConnectionOptions,
    handlers: ConnectionHandlers,
    failed: () => void,
  ) {
    this.#port = worker.port;
    this.#handlers = handlers;
    this.#failed = failed;
    worker.addEventListener("error", () => this.#fail());
    this.#port.addEventListener("message", ({ data }: MessageEvent<readonly FromWorker[]>) =>
      this.#take(data),
    );
    this.#post({ kind: "hello", version: VERSION, options });
    this.#port.start();
    this.#timer = setTimeout(() => this.#fail(), START_MS);
    this.#release = holdLife((lock) => this.#post({ kind: "alive", lock }));
  }

  retry(): void {
    this.#post({ kind: "retry" });
  }

  check(): void {
    this.#post({ kind: "check" });
  }

  setReconnects(reconnects: boolean): void {
    this.#post({ kind: "reconnects", reconnects });
  }

  follow(channel: string, wish: Wish, handlers: ChannelHandlers): Following {
    const id = ++this.#number;
    this.#followed.set(id, handlers);
    this.#post({ kind: "follow", id, channel, wish });
    return {
      change: (other) => this.#post({ kind: "change", id, wish: other }),
      end: () => {
        this.#followed.delete(id);
        this.#post({ kind: "end", id });
      },
    };
  }

  async request<R extends Request>(request: R, timeout: number): Promise<Answers[R["kind"]]> {
    if (this.#isOver) throw LOST;
    const id = ++this.#number;
    this.#post({ kind: "request", id, request: asJson(request), timeout });
    const answer = await new Promise<Answers[keyof Answers]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
    return answer as Answers[R["kind"]];
  }

  close(): void {
    if (this.#isOver) return;
    this.#post({ kind: "bye" });
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#stopWaiting?.();
    this.#release();
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(LOST);
  }

  #fail(): void {
    if (this.#isOver) return;
    this.close();
    this.#failed();
  }

  #post(message: FromTab): void {
    if (!this.#isOver) this.#port.postMessage(message);
  }

  #take(events: readonly FromWorker[]): void {
    this.#heardAt = Date.now();
    this.#post({ kind: "taken", count: events.length });
    for (const event of events) {
      if (this.#isOver) return;
      this.#tell(event);
    }
  }

  #tell(event: FromWorker): void {
    switch (event.kind) {
      case "welcome":
        clearTimeout(this.#timer);
        if (!hasLocks()) this.#watch();
        return;
      case "ping":
        return;
      case "gone":
        return this.#fail();
      case "alive":
        this.#stopWaiting = awaitEnd(event.lock, () => this.#fail());
        return;
      case "status":
        return this.#handlers.status({ ...event.status, transport: event.status.transport && "shared" });
      case "message":
        return this.#handlers.message(event.data);
      case "latency":
        return this.#handlers.latency(event.duration);
      case "channelStatus":
        return this.#followed.get(event.id)?.status(event.status);
      case "publication":
        return this.#followed.get(event.id)?.publication(event.message);
      case "join":
      case "leave":
        return this.#followed.get(event.id)?.[event.kind](event.member);
      case "result":
        this.#waiting.get(event.id)?.resolve(event.answer);
        this.#waiting.delete(event.id);
        return;
      case "refused":
        this.#waiting.get(event.id)?.reject(event.refusal);
        this.#waiting.delete(event.id);
        return;
      case "token":
        void this.#fetchToken(event.following).then((token) =>
          this.#post({ kind: "answer", id: event.id, token }),
        );
        return;
      default:
        event satisfies never;
    }
  }

  async #fetchToken(following: number | null): Promise<TokenAnswer> {
    try {
      const handlers = following === null ? this.#handlers : this.#followed.get(following);
      if (handlers === undefined) throw new Error("the channel is no longer followed");
      return { token: await handlers.token() };
    } catch (thrown) {
      const { name = "", message = String(thrown), status = 0 } = (thrown ?? {}) as Partial<TokenError>;
      return { error: { name, message, status } };
    }
  }

  #watch(): void {
    if (Date.now() - this.#heardAt > SILENCE_MS) return this.#fail();
    this.#timer = setTimeout(() => this.#watch(), PING_MS);
  }
}

const LOST: Refusal = {
  code: Local.notConnected,
  message: "the worker that keeps the connection is gone",
  temporary: true,
};

/** Data as JSON text: cloning would lose what an object's `toJSON` says. */
function asJson(request: Request): Request {
  return "data" in request ? { ...request, data: JSON.stringify(request.data) } : request;
}
