/** What a component asked for, how it stands, and that it is given up with the component. */

import { useCallback, useEffect, useRef, useState } from "react";

export interface TaskState<R> {
  readonly pending: boolean;
  /** What the newest attempt failed with. */
  readonly error: Error | null;
  /** What the newest attempt that succeeded gave. */
  readonly result: R | undefined;
}

export interface Task<A extends readonly unknown[], R> extends TaskState<R> {
  /** Resolves with the result, or with `undefined` if it failed or was given up; `error` says why. Never rejects. */
  readonly run: (...args: A) => Promise<R | undefined>;
  readonly abort: () => void;
}

/** A new run gives up the one before. */
export function useTask<A extends readonly unknown[], R>(
  perform: (signal: AbortSignal, ...args: A) => Promise<R>,
): Task<A, R> {
  const [state, setState] = useState<TaskState<R>>({ pending: false, error: null, result: undefined });
  const current = useRef<AbortController | null>(null);
  const newest = useRef(perform);
  newest.current = perform;

  const abort = useCallback(() => {
    current.current?.abort();
    setState((before) => (before.pending ? { ...before, pending: false } : before));
  }, []);
  useEffect(() => abort, [abort]);

  const run = useCallback(async (...args: A): Promise<R | undefined> => {
    current.current?.abort();
    const controller = new AbortController();
    current.current = controller;
    const { signal } = controller;
    setState((before) => ({ ...before, pending: true, error: null }));
    try {
      const result = await newest.current(signal, ...args);
      if (!signal.aborted) setState({ pending: false, error: null, result });
      return result;
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (!signal.aborted) setState((before) => ({ ...before, pending: false, error }));
      return undefined;
    }
  }, []);

  return { ...state, run, abort };
}
