/**
 * A connection to the server itself, in the Centrifuge protocol (JSON), that repairs itself.
 *
 * Each attempt is a session of its own. One that ends becomes a retry with its delay; an ending that is final, or one too
 * many, becomes the state `error`. While no transport has worked, each attempt tries all there are.
 */

import { clock } from "./clock.js";
import {
  type Answers,
  type ChannelHandlers,
  type Connect,
  type Connection,
  type ConnectionHandlers,
  type ConnectionOptions,
  type Endpoint,
  type Following,
  type LinkStatus,
  Local,
  type Refusal,
  type Request,
  type Wish,
} from "./connection.js";
import { TimeoutError } from "./errors.js";
import { Followed } from "./followed.js";
import { limited } from "./limits.js";
import { memberOf, messageOf } from "./messages.js";
import { connectionReason } from "./reasons.js";
import { retryDelay } from "./retry.js";
import { type Push, Session, type WireMember, type WirePublication } from "./session.js";
import { noToken, Renewal } from "./tokens.js";
import { isSupported } from "./transports.js";
import type { Position } from "./types.js";

/** How long a connection that may be dead is given to answer. */
const CHECK_MS = 4000;
const TOKEN_EXPIRED = 109;

/** `webSocket` is the class to use; the one that is built in, if there is none. */
export const connectHub =
  (webSocket: unknown): Connect =>
  (options, handlers) =>
    new HubConnection(options, handlers, webSocket ?? globalThis.WebSocket);

class HubConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #webSocket: unknown;
  readonly #endpoints: readonly Endpoint[];
  readonly #followed = new Map<string, Followed>();
  readonly #renewal = new Renewal(clock, () => void this.#renew());
  #status: LinkStatus = {
    state: "disconnected",
    reason: "",
    code: 0,
    attempt: 0,
    retryAt: null,
    client: "",
    transport: "",
  };
  #session: Session | null = null;
  /** Each attempt has a number; what belongs to an earlier one is void. */
  #turn = 0;
  #endpoint = 0;
  /** Whether the transport in use has ever worked. */
  #hasWorked = false;
  #reconnects: boolean;
  #token: string;
  /** Whether the token has been fetched anew since the last connection. */
  #isTokenFresh = false;
  #gaveUp = false;
  #retries = 0;
  #cancelTimer: (() => void) | undefined;
  #outstanding = 0;
  #isChecking = false;

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers, webSocket: unknown) {
    this.#options = options;
    this.#handlers = handlers;
    this.#webSocket = webSocket;
    this.#token = options.token;
    this.#reconnects = options.reconnects;
    this.#endpoints = options.endpoints.filter(({ transport }) => isSupported(transport, webSocket));
    if (this.#endpoints.length === 0)
      throw new TypeError("there is no WebSocket here: pass one as `webSocket`");
  }

  connect(): void {
    if (this.#status.state !== "connected" && this.#status.state !== "connecting") this.retry();
  }

  disconnect(): void {
    this.#leave();
    this.#set({ state: "disconnected", reason: "", code: 0, attempt: 0, retryAt: null });
  }

  retry(): void {
    if (this.#status.state === "connected") return this.check();
    if (this.#status.state === "error" && this.#options.fetchesToken) this.#token = "";
    this.#hasWorked = false;
    this.#isTokenFresh = false;
    this.#retries = 0;
    this.#open({ reason: "", code: 0, attempt: 1 });
  }

  check(): void {
    const { state, retryAt } = this.#status;
    if (state === "connected") void this.#probe();
    else if (state === "connecting" && retryAt !== null) this.#open();
    else if (state === "error" && this.#gaveUp) this.retry();
  }

  setReconnects(reconnects: boolean): void {
    this.#reconnects = reconnects;
    const { state, retryAt } = this.#status;
    if (reconnects || state !== "connecting" || retryAt === null) return;
    this.#leave();
    this.#set({ state: "disconnected", retryAt: null });
  }

  follow(channel: string, wish: Wish, handlers: ChannelHandlers): Following {
    const followed = new Followed(channel, wish, handlers, clock, () => this.#followed.delete(channel));
    this.#followed.set(channel, followed);
    if (this.#session !== null && this.#status.state === "connected") followed.attach(this.#session);
    return followed;
  }

  async request<R extends Request>(request: R, timeout: number): Promise<Answers[R["kind"]]> {
    this.#outstanding += 1;
    try {
      const answer = this.#ask(request) as Promise<Answers[R["kind"]]>;
      return await limited({ timeout }, clock, "no answer in time", answer);
    } catch (error) {
      throw error instanceof TimeoutError ? refusal(Local.timeout, error.message) : error;
    } finally {
      this.#outstanding -= 1;
    }
  }

  close(): void {
    this.#status = { ...this.#status, state: "disconnected" };
    for (const followed of this.#followed.values()) followed.end();
    this.#leave();
  }

  #open(changes: Partial<LinkStatus> = { attempt: this.#status.attempt + 1 }): void {
    this.#leave();
    this.#set({ state: "connecting", retryAt: null, ...changes });
    void this.#begin();
  }

  async #begin(): Promise<void> {
    const turn = this.#turn;
    const { timeout, fetchesToken, data, name, emulation } = this.#options;
    this.#cancelTimer = clock.later(timeout, () => this.#ended(refusal(Local.timeout, "")));
    if (fetchesToken && this.#token === "") {
      try {
        const token = await this.#handlers.token();
        if (turn !== this.#turn) return;
        this.#token = token;
        this.#isTokenFresh = true;
      } catch (error) {
        if (turn === this.#turn) this.#noToken(error);
        return;
      }
    }
    const request = {
      name,
      ...(this.#token !== "" && { token: this.#token }),
      ...(data !== null && { data }),
    };
    const endpoint = this.#endpoints[this.#endpoint % this.#endpoints.length] as Endpoint;
    const session = new Session(endpoint, emulation, this.#webSocket, request, clock, {
      connected: (result) => this.#connected(session, result),
      push: (push) => this.#push(push),
      ended: (why) => this.#ended(why),
    });
    this.#session = session;
  }

  /** End what there is, and all that is planned. */
  #leave(): void {
    this.#turn += 1;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#renewal.stop();
    const session = this.#session;
    this.#session = null;
    session?.close();
    for (const followed of this.#followed.values()) followed.detach();
  }

  #connected(session: Session, result: { client: string; expires?: boolean; ttl?: number }): void {
    this.#cancelTimer?.();
    this.#hasWorked = true;
    this.#isTokenFresh = false;
    this.#retries = 0;
    this.#renewal.plan(result);
    const { transport } = session;
    this.#set({
      state: "connected",
      reason: "",
      code: 0,
      attempt: 0,
      retryAt: null,
      client: result.client,
      transport,
    });
    for (const followed of this.#followed.values()) if (session === this.#session) followed.attach(session);
  }

  #push(push: Push): void {
    if (push.message !== undefined) this.#handlers.message(push.message.data);
    else if (push.channel !== undefined) this.#followed.get(push.channel)?.push(push);
  }

  #ended({ code, message, temporary }: Refusal): void {
    const isWayOpen = this.#hasWorked || this.#session?.hasHeard === true;
    this.#leave();
    if (code === TOKEN_EXPIRED) this.#expired();
    else if (!temporary) this.#refused(code, message);
    else if (isWayOpen) this.#again(code, message);
    else this.#tryNext(code, message);
  }

  /** It may be the transport that does not get through. */
  #tryNext(code: number, said: string): void {
    this.#endpoint += 1;
    if (this.#endpoint % this.#endpoints.length === 0) this.#again(code, said);
    else void this.#begin();
  }

  #noToken(error: unknown): void {
    this.#leave();
    const { isFinal: isRefused, message } = noToken(error);
    if (isRefused) this.#refused(Local.unauthorized, message);
    else this.#again(Local.noToken, message);
  }

  #expired(): void {
    if (!this.#options.fetchesToken) return this.#refused(TOKEN_EXPIRED, "");
    this.#token = "";
    if (this.#isTokenFresh) this.#again(TOKEN_EXPIRED, "");
    else void this.#begin();
  }

  #again(code: number, said: string, isUrgent = false): void {
    const reason = connectionReason(code, said);
    const { retry } = this.#options;
    if (!this.#reconnects) return this.#set({ state: "disconnected", reason, code, retryAt: null });
    if (this.#retries >= retry.tries) {
      this.#gaveUp = true;
      return this.#set({
        state: "error",
        reason: `${reason} Gave up for now; try again.`,
        code,
        retryAt: null,
      });
    }
    const delay = isUrgent ? 0 : retryDelay(this.#retries, retry);
    this.#retries += 1;
    this.#cancelTimer = clock.later(delay, () => this.#open());
    this.#set({ state: "connecting", reason, code, retryAt: clock.now() + delay });
  }

  #refused(code: number, said: string): void {
    this.#gaveUp = false;
    this.#set({ state: "error", reason: connectionReason(code, said), code, retryAt: null });
  }

  async #renew(): Promise<void> {
    const turn = this.#turn;
    try {
      this.#token = await this.#handlers.token();
    } catch (error) {
      if (turn !== this.#turn) return;
      return noToken(error).isFinal ? this.#noToken(error) : this.#renewal.postpone();
    }
    if (turn !== this.#turn) return;
    this.#session?.ask("refresh", { token: this.#token }, (refused, result) => {
      if (turn !== this.#turn) return;
      if (refused === null) this.#renewal.plan(result as { expires?: boolean; ttl?: number });
      else if (refused.temporary) this.#renewal.postpone();
      else this.#ended(refused);
    });
  }

  async #probe(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const turn = this.#turn;
    const isAlone = this.#outstanding === 0;
    const began = performance.now();
    let isSilent = false;
    try {
      await this.request(
        { kind: "rpc", method: "vagus.ping", data: null },
        Math.min(CHECK_MS, this.#options.timeout),
      );
    } catch (error) {
      isSilent = (error as Refusal).code === Local.timeout; // a refusal is an answer too
    }
    this.#isChecking = false;
    if (turn !== this.#turn) return;
    if (!isSilent) return this.#handlers.latency(performance.now() - began);
    // The server answers one command after the other: a long call makes this one wait without anything being wrong. So
    // it is asked again until it answers, or was asked alone.
    if (!isAlone) return this.#probe();
    this.#leave();
    this.#again(Local.timeout, "", true);
  }

  async #ask(request: Request): Promise<unknown> {
    const session = this.#session;
    if (session === null || this.#status.state !== "connected")
      throw refusal(Local.notConnected, "not connected");
    switch (request.kind) {
      case "rpc": {
        const { method, data } = request;
        return (await reply<{ data?: unknown }>(session, "rpc", { method, data })).data;
      }
      case "send":
        session.tell("send", { data: request.data });
        return null;
      case "history": {
        const { channel, limit, since, reverse } = request;
        const asked = { channel, limit, reverse, ...(since !== null && { since }) };
        const page = await reply<Partial<Position> & { publications?: WirePublication[] }>(
          session,
          "history",
          asked,
        );
        const { offset = 0, epoch = "", publications = [] } = page;
        const now = clock.now();
        return {
          offset,
          epoch,
          messages: publications.map((found) => messageOf(channel, found, found.data, now)),
        };
      }
      case "presence": {
        const asked = { channel: request.channel };
        const { presence = {} } = await reply<{ presence?: Record<string, WireMember> }>(
          session,
          "presence",
          asked,
        );
        return Object.values(presence).map(memberOf);
      }
      case "presenceStats": {
        const asked = { channel: request.channel };
        const found = await reply<{ num_clients?: number; num_users?: number }>(
          session,
          "presence_stats",
          asked,
        );
        return { clients: found.num_clients ?? 0, users: found.num_users ?? 0 };
      }
    }
  }

  #set(changes: Partial<LinkStatus>): void {
    const gone =
      changes.state !== undefined && changes.state !== "connected" ? { client: "", transport: "" } : null;
    this.#status = { ...this.#status, ...gone, ...changes };
    this.#handlers.status(this.#status);
  }
}

function reply<T>(session: Session, name: string, request: object): Promise<T> {
  return new Promise((resolve, reject) => {
    session.ask(name, request, (refused, result) =>
      refused === null ? resolve(result as T) : reject(refused),
    );
  });
}

const refusal = (code: number, message: string): Refusal => ({ code, message, temporary: true });
