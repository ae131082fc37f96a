/** Publishing from a component. */

import type { DataOf, PublishOptions, Receipt } from "@vagus/client";
import { useProvided } from "../context.js";
import { type TaskState, useTask } from "./useTask.js";

export interface UsePublish<T> extends TaskState<Receipt> {
  /** Resolves with the receipt, or with `undefined` if it failed; `error` says why. Never rejects. */
  readonly publish: (data: T, options?: Omit<PublishOptions, "signal">) => Promise<Receipt | undefined>;
  /** Give up what is pending. */
  readonly abort: () => void;
}

/**
 * Without a connection it is pending until there is one again. The next publication gives up one that is still
 * pending, and so does unmounting; where each must arrive, take `publish` of `useRealtime`.
 *
 * ```tsx
 * const { publish, pending, error } = usePublish("notes:today");
 * ```
 */
export function usePublish<C extends string>(channel: C): UsePublish<DataOf<C>> {
  const { client } = useProvided();
  const { run, ...task } = useTask(
    (signal, data: DataOf<C>, options?: Omit<PublishOptions, "signal">): Promise<Receipt> =>
      client.publish(channel, data, { ...options, signal }),
  );
  return { ...task, publish: run };
}
