/** Clients that belong to components: one for each key, closed a moment after the last who held it has gone. */

import { type Client, type ClientOptions, createClient } from "@vagus/client";
import { cellOf } from "./cell.js";

export interface OwnedClient {
  readonly client: Client;
  /** Keep it open until what is returned is called; `undefined` if it was closed before. */
  readonly hold: () => (() => void) | undefined;
}

const held = (): (() => void) => () => {};

/** A client that somebody else keeps open. */
export const borrowed = (client: Client): OwnedClient => ({ client, hold: held });

const LINGER_MS = 1_000;

const owned = new Map<unknown, OwnedClient>();

/** Found while rendering; connects to nothing by itself, and is forgotten if nobody holds it. */
export function ownedClient(key: unknown, options: ClientOptions): OwnedClient {
  const known = owned.get(key);
  if (known !== undefined) return known;
  const client = createClient(options);
  const close = (): void => {
    owned.delete(key);
    client.close();
  };
  const holders = cellOf(client, () => close, LINGER_MS);
  const made = { client, hold: () => (owned.get(key) === made ? holders.subscribe() : undefined) };
  owned.set(key, made);
  holders.subscribe()();
  return made;
}
