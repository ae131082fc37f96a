/**
 * The worker's end: takes the tabs in as they come, and has those that want the same connection share one.
 *
 * "The same" is the same servers, data and person. Whose a tab is, its token tells: a tab in which somebody else signed
 * in is not handed the connection of the one before. So a tab fetches a token when it comes, but renewing it for all is
 * the task of one. A tab whose token cannot be read shares with nobody.
 */

import type { Connect, ConnectionOptions } from "../connection.js";
import { holdLife } from "./life.js";
import { type FromTab, VERSION } from "./messages.js";
import { type FetchToken, SharedConnection } from "./shared-connection.js";
import { Tab } from "./tab.js";

export class TabHost {
  readonly #connect: Connect;
  readonly #getToken: FetchToken | undefined;
  readonly #shared = new Map<string, SharedConnection>();
  readonly #lock: Promise<string>;

  /** With `getToken` the tabs are not asked for the connection's token. */
  constructor(connect: Connect, getToken?: FetchToken) {
    this.#connect = connect;
    this.#getToken = getToken;
    this.#lock = new Promise((held) => holdLife(held)); // for as long as the worker lives
  }

  /** Take a tab in by its port. */
  accept(port: MessagePort): void {
    let shared: SharedConnection | undefined;
    const early: FromTab[] = [];
    const tab: Tab = new Tab(
      port,
      (message) => {
        if (shared) shared.take(tab, message);
        else if (message.kind === "hello") void welcome(message);
        else early.push(message);
      },
      () => shared?.leave(tab),
    );
    const welcome = async ({ version, options }: FromTab & { kind: "hello" }): Promise<void> => {
      if (version !== VERSION) return tab.letGo();
      tab.post({ kind: "welcome" });
      void this.#lock.then((lock) => tab.post({ kind: "alive", lock }));
      const token = await this.#tokenOf(tab, options);
      if (tab.isGone) return;
      shared = this.#sharedBy(options, token);
      shared.join(tab, options.reconnects);
      for (const message of early) shared.take(tab, message);
    };
  }

  /** The token that the tab has or fetches; `null` if it has none to give. */
  async #tokenOf(tab: Tab, { token, fetchesToken }: ConnectionOptions): Promise<string | null> {
    if (token !== "" || !fetchesToken || this.#getToken) return token;
    return tab.token(null, null).catch(() => null);
  }

  #sharedBy(options: ConnectionOptions, token: string | null): SharedConnection {
    const { endpoints, data, name } = options;
    const person = token === null ? crypto.getRandomValues(new Uint32Array(4)).join() : personOf(token);
    const key = JSON.stringify([endpoints, data, name, person]);
    const there = this.#shared.get(key);
    if (there && !there.isRefused(token)) return there;
    const fetchesToken = options.fetchesToken || this.#getToken !== undefined;
    const settings = { ...options, token: token ?? "", fetchesToken };
    const ended = (): void => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    const shared = new SharedConnection(this.#connect, settings, ended, this.#getToken);
    this.#shared.set(key, shared);
    return shared;
  }
}

/** Whose token it is: its subject, for two tokens of one person are rarely alike; one that names nobody, as it is. */
function personOf(token: string): string {
  const [, claims = ""] = token.split(".");
  try {
    const { sub } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { sub?: unknown };
    return typeof sub === "string" ? `sub ${sub}` : token;
  } catch {
    return token;
  }
}
