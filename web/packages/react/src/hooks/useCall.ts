/** Calling a function of the server from a component. */

import type { CallArguments, RequestOptions, ResultOf } from "@vagus/client";
import { useProvided } from "../context.js";
import { type TaskState, useTask } from "./useTask.js";

export interface UseCall<M extends string> extends TaskState<ResultOf<M>> {
  /** Resolves with the result, or with `undefined` if it failed; `error` says why. Never rejects. */
  readonly call: (
    ...given: CallArguments<M, Omit<RequestOptions, "signal">>
  ) => Promise<ResultOf<M> | undefined>;
  /** Give up what is pending. */
  readonly abort: () => void;
}

/**
 * The next call gives up one that is still pending, and so does unmounting.
 *
 * ```tsx
 * const { call, pending, error, result } = useCall("orders.cancel");
 * ```
 */
export function useCall<M extends string>(method: M): UseCall<M> {
  const { client } = useProvided();
  const { run, ...task } = useTask(
    (signal, ...[request, options]: CallArguments<M, Omit<RequestOptions, "signal">>): Promise<ResultOf<M>> =>
      client.call(method, ...([request, { ...options, signal }] as CallArguments<M>)),
  );
  return { ...task, call: run };
}
