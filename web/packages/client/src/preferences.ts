/**
 * What a person chose, kept in the browser under one key and in step with the other tabs.
 *
 * Storage may be missing, full, forbidden or hold anything: then the choices hold for as long as the page does.
 */

import { Value } from "./store.js";
import type { ClientOptions, Preferences, PreferencesStore } from "./types.js";

const KEY = "vagus.preferences";

const DEFAULTS: Preferences = {
  notifications: true,
  autoReconnect: true,
  animation: true,
  refreshEvery: 0,
};

export class KeptPreferences implements PreferencesStore {
  readonly #storage: NonNullable<ClientOptions["storage"]> | null;
  readonly #chosen: Value<Preferences>;
  readonly get: () => Preferences;
  readonly subscribe: (listener: () => void) => () => void;

  constructor(storage: ClientOptions["storage"] = pageStorage()) {
    this.#storage = storage;
    this.#chosen = new Value(read(storage));
    this.get = this.#chosen.get;
    this.subscribe = this.#chosen.subscribe;
    globalThis.addEventListener?.("storage", this.#heard);
  }

  readonly set = (changes: Partial<Preferences>): void => {
    const next = { ...this.get(), ...changes };
    if (!isValid(next)) {
      throw new RangeError("refreshEvery is 0 or more, and the other preferences are true or false");
    }
    this.#keep(JSON.stringify(next));
    this.#chosen.set(next);
  };

  readonly reset = (): void => {
    this.#keep(null);
    this.#chosen.set(DEFAULTS);
  };

  close(): void {
    globalThis.removeEventListener?.("storage", this.#heard);
  }

  readonly #heard = (event: Event): void => {
    const { key } = event as StorageEvent;
    if (key === KEY || key === null) this.#chosen.set(read(this.#storage));
  };

  #keep(text: string | null): void {
    try {
      if (text === null) this.#storage?.removeItem(KEY);
      else this.#storage?.setItem(KEY, text);
    } catch {
      // Full or forbidden.
    }
  }
}

function pageStorage(): Storage | null {
  try {
    return typeof document === "undefined" ? null : globalThis.localStorage;
  } catch {
    return null;
  }
}

function read(storage: NonNullable<ClientOptions["storage"]> | null): Preferences {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(KEY) ?? "null");
    const { notifications, autoReconnect, animation, refreshEvery } = { ...DEFAULTS, ...(kept as object) };
    const preferences = { notifications, autoReconnect, animation, refreshEvery };
    return isValid(preferences) ? preferences : DEFAULTS;
  } catch {
    return DEFAULTS;
  }
}

function isValid({ notifications, autoReconnect, animation, refreshEvery }: Preferences): boolean {
  const switches: readonly unknown[] = [notifications, autoReconnect, animation];
  return (
    switches.every((value) => typeof value === "boolean") &&
    refreshEvery >= 0 &&
    Number.isFinite(refreshEvery)
  );
}
