/** What the page asks of `/api/fusion`, and does there. */

import { keepPreviousData, type UseQueryResult, useMutation, useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { type ApiError, get, post, put, remove } from "../../api.js";
import { type Range, textOf, windowOf } from "../../charts/ranges.js";
import { queries } from "../../connection.js";
import type { History } from "./board.js";
import type { Feed } from "./feed.js";
import type { Pulse } from "./pulses.js";
import type { Entry, Health } from "./sources.js";

const ROUTE = "/api/fusion";
/** How things are asked anew without a pulse: ages and errors change by themselves. */
const RENEWAL_MS = 30_000;
const FIGURES_MS = 5_000;
/** Pulses may come every second; not each of them is worth a question. */
const PULSE_NEWS_MS = 5_000;

export const POINTS = 600;
export const SPARK_POINTS = 120;

export interface Figures {
  readonly node: string;
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly loopLagMs: number;
  readonly intervalSeconds: number;
  readonly paused: boolean;
  /** 0 before the first. */
  readonly lastPulseAt: number;
  readonly collectMs: number;
  readonly emitMs: number;
  readonly totalEmissions: number;
  readonly failedEmissions: number;
}

export interface EmitterHealth {
  /** Waiting: the store does not answer, so nobody can know who emits, and nobody does. */
  readonly status: "active" | "paused" | "waiting";
  readonly metrics: {
    /** In seconds. */
    readonly uptime: number;
    readonly connectedClients: number;
  };
}

export interface Tried {
  readonly ok: boolean;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly error?: string;
  /** What was done with what it said, where that may not be what was meant. */
  readonly hints?: readonly string[];
}

/** The settings of a source, as the server's configuration has them. */
export type Table = Readonly<Record<string, unknown>>;

export function useHealth(): UseQueryResult<Health, ApiError> {
  return useQuery({
    queryKey: ["fusion", "health"],
    queryFn: ({ signal }) => get<Health>(`${ROUTE}/health`, { signal }),
    refetchInterval: RENEWAL_MS,
  });
}

export function useFigures(): UseQueryResult<Figures, ApiError> {
  return useQuery({
    queryKey: ["fusion", "performance"],
    queryFn: ({ signal }) => get<Figures>(`${ROUTE}/emitter/performance`, { signal }),
    refetchInterval: FIGURES_MS,
  });
}

export function useEmitterHealth(): UseQueryResult<EmitterHealth, ApiError> {
  return useQuery({
    queryKey: ["fusion", "emitter"],
    queryFn: ({ signal }) => get<EmitterHealth>(`${ROUTE}/emitter/health`, { signal }),
    refetchInterval: FIGURES_MS,
  });
}

export interface Book {
  /** Where paths of sources begin. */
  readonly folder: string;
  readonly sources: readonly Entry[];
  /** False while the store does not answer: then they are as they were when it did. */
  readonly current: boolean;
}

/** The sources with their settings, asked anew when they are others; for admins alone, nobody else is answered. */
export function useBook(mayAsk: boolean, names: readonly string[]): UseQueryResult<Book, ApiError> {
  return useQuery({
    queryKey: ["fusion", "sources", names],
    queryFn: ({ signal }) => get<Book>(`${ROUTE}/sources`, { signal }),
    enabled: mayAsk && names.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.current === false ? FIGURES_MS : RENEWAL_MS),
  });
}

/** The same for who is about to change one of them: asked at once, and often enough to notice who else does. */
export function useBookNow(): UseQueryResult<Book, ApiError> {
  return useQuery({
    queryKey: ["fusion", "sources", "now"],
    queryFn: ({ signal }) => get<Book>(`${ROUTE}/sources`, { signal }),
    refetchInterval: FIGURES_MS,
    staleTime: 0,
    gcTime: 0,
  });
}

/** Where paths of sources begin. */
export function useFolder(mayAsk: boolean): string | undefined {
  const { data } = useQuery({
    queryKey: ["fusion", "folder"],
    queryFn: async ({ signal }) => (await get<Book>(`${ROUTE}/sources`, { signal })).folder,
    enabled: mayAsk,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return data;
}

/** The history of these metrics; asked anew when the range is another one, and after a loss of the connection. */
export function useHistory(
  metrics: readonly string[],
  range: Range,
  points: number,
): UseQueryResult<History, ApiError> {
  return useQuery({
    queryKey: ["fusion", "history", metrics, textOf(range), points],
    queryFn: ({ signal }) => {
      const { from, to } = windowOf(range, Date.now());
      const end = range.kind === "live" ? undefined : Math.round(to);
      return get<History>(`${ROUTE}/history`, {
        signal,
        query: { metric: metrics, from: Math.round(from), to: end, points },
      });
    },
    enabled: metrics.length > 0,
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
    gcTime: 60_000,
  });
}

/** What was lost is in the history. */
export const renewHistory = (): void => void queries.invalidateQueries({ queryKey: ["fusion", "history"] });

/** The emitter's pace as somebody set it, or as a pulse tells. */
function takePace({ intervalSeconds, paused }: Pick<Figures, "intervalSeconds" | "paused">): void {
  queries.setQueryData<Figures>(["fusion", "performance"], (known) => {
    if (known?.intervalSeconds === intervalSeconds && known.paused === paused) return known;
    return known && { ...known, intervalSeconds, paused };
  });
}

export const renewSources = (): void => {
  void queries.invalidateQueries({ queryKey: ["fusion", "sources"] });
  void queries.invalidateQueries({ queryKey: ["fusion", "health"] });
};

/** Whether a pulse has other sources than are known: some were added or removed, by whomever. */
function hasOthers({ sources }: Pulse): boolean {
  const known = queries.getQueryData<Health>(["fusion", "health"]);
  return known !== undefined && String(Object.keys(known.sources)) !== String(Object.keys(sources));
}

/**
 * Take what the pulses that are shown tell of the pace, and ask for the sources' health: at once where they are others,
 * else now and then.
 */
export function useNewsOfPulses(feed: Feed): void {
  useEffect(() => {
    let askedAt = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (): void => {
      clearTimeout(timer);
      timer = undefined;
      askedAt = performance.now();
      void queries.invalidateQueries({ queryKey: ["fusion", "health"] });
      void queries.invalidateQueries({ queryKey: ["fusion", "performance"] });
    };
    const stop = feed.listen((pulses) => {
      const newest = pulses.at(-1);
      if (newest === undefined) return;
      takePace(newest);
      const left = askedAt + PULSE_NEWS_MS - performance.now();
      if (left <= 0 || hasOthers(newest)) ask();
      // The next pulse may be minutes away.
      else timer ??= setTimeout(ask, left);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [feed]);
}

export interface Paced {
  readonly minutes: number;
  readonly intervalSeconds: number;
  readonly paused: boolean;
}

export type PaceOrder = { readonly seconds: number } | "pause" | "resume";

export function usePace() {
  return useMutation<Paced, ApiError, PaceOrder>({
    mutationFn: (order) =>
      typeof order === "string"
        ? post<Paced>(`${ROUTE}/emitter/${order}`)
        : post<Paced>(`${ROUTE}/emitter/interval`, order),
    onSuccess: takePace,
  });
}

/** What a source with these settings, as JSON, says; asked once, and again with `refetch`. */
export function useTried(settings: string, isAsked: boolean): UseQueryResult<Tried, ApiError> {
  return useQuery({
    queryKey: ["fusion", "test", settings],
    queryFn: ({ signal }) => post<Tried>(`${ROUTE}/sources/test`, JSON.parse(settings), { signal }),
    enabled: isAsked,
    retry: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export const addSource = (table: Table): Promise<Entry> => post<Entry>(`${ROUTE}/sources`, table);

/** Refused (412) where it is not at this version any more. */
export const changeSource = ({ name, version }: Entry, table: Table): Promise<Entry> =>
  put<Entry>(`${ROUTE}/sources/${encodeURIComponent(name)}`, table, { version });

/** Refused as `changeSource` is. */
export const removeSource = ({ name, version }: Entry): Promise<void> =>
  remove(`${ROUTE}/sources/${encodeURIComponent(name)}`, { version });
