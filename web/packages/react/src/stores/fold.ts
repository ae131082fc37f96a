/** The events of a channel as one object: the newest payload of each type. */

import type { Envelope, Message, Store } from "@vagus/client";
import { type Cell, cellOf } from "./cell.js";
import type { ChannelStore } from "./channel.js";
import { isEnvelope } from "./events.js";

/** The newest payload by type of event; `at` is when the newest of all happened. */
export type Folded<E> = {
  readonly [Type in Extract<E, Envelope>["type"]]?: Extract<E, Envelope<Type>>["payload"];
} & { readonly at: number | null };

/** More types than this are left out. */
const MOST_TYPES = 200;

const folds = new WeakMap<object, Store<unknown>>();

/** The one fold of a channel, for all who ask. */
export function foldOf<E>(channel: ChannelStore<E>): Store<Folded<E>> {
  const known = folds.get(channel);
  if (known !== undefined) return known as Store<Folded<E>>;
  const fold: Cell<Folded<E>> = cellOf({ at: null } as Folded<E>, () =>
    channel.listen((batch) => fold.set(folded(fold.get(), batch))),
  );
  folds.set(channel, fold);
  return fold;
}

function folded<E>(before: Folded<E>, batch: readonly Message<unknown>[]): Folded<E> {
  const after: Record<string, unknown> = { ...before };
  for (const { data, receivedAt } of batch) {
    if (!isEnvelope(data) || data.type === "at") continue;
    if (!(data.type in after) && Object.keys(after).length > MOST_TYPES) continue;
    after[data.type] = data.payload;
    after["at"] = Math.max(before.at ?? 0, typeof data.at === "number" ? data.at : receivedAt);
  }
  return after as Folded<E>;
}
