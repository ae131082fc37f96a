/**
 * What the page asks the server: the lists and details that the live channel does not carry.
 *
 * They are asked anew while they are looked at, the less often the more of a list is loaded, and not while the page is
 * paused or in the background.
 */

import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, get, post } from "../../api.js";
import type { ConnectionsSearch } from "./search.js";
import type {
  ChannelsAnswer,
  ClientDetails,
  ClientsPage,
  Connected,
  Coverage,
  Look,
  SlowAnswer,
} from "./values.js";

const ROUTE = "/api/connections";
const AGAIN_MS = 4_000;
const PAGE = 500;
/** So many rows of a list are shown; who looks for one of more narrows the filter. */
export const MOST_ROWS = 10_000;
export const NEWEST_FIRST = "-connectedAt";
export const LARGEST_FIRST = "-subscribers";

/** Once, or again and again for whoever may not follow the channel. */
export function useLook(isPolled: boolean) {
  return useQuery({
    queryKey: ["connections", "nodes"],
    queryFn: ({ signal }) => get<Look>(`${ROUTE}/nodes`, { signal }),
    refetchInterval: isPolled ? AGAIN_MS : false,
  });
}

export function useClients(
  { node, user, channel, dialect, slow, sort = NEWEST_FIRST }: ConnectionsSearch,
  isPaused: boolean,
) {
  const filters = { node, user: globOf(user), channel, dialect, slow: slow && true, sort };
  const asked = useInfiniteQuery({
    queryKey: ["connections", "clients", filters],
    queryFn: ({ pageParam, signal }) =>
      get<ClientsPage>(`${ROUTE}/clients`, { query: { ...filters, limit: PAGE, cursor: pageParam }, signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ cursor }, pages) =>
      pages.length * PAGE < MOST_ROWS ? (cursor ?? undefined) : undefined,
    placeholderData: keepPreviousData,
    // Figures change with every answer: to look for what has not, in thousands of rows, would cost more than it saves.
    structuralSharing: false,
    refetchInterval: ({ state }) => !isPaused && AGAIN_MS * Math.max(1, state.data?.pages.length ?? 1),
  });
  const { data } = asked;
  const clients = useMemo(() => (data ? withoutRepeated(data.pages) : []), [data]);
  return { asked, clients, total: data?.pages[0]?.total ?? 0, coverage: data?.pages.at(-1)?.coverage };
}

/** Somebody who moved in the list between two pages is in both. */
export function withoutRepeated(pages: readonly ClientsPage[]): readonly Connected[] {
  const clients = new Map<string, Connected>();
  for (const page of pages) for (const client of page.clients) clients.set(client.id, client);
  return [...clients.values()];
}

/** A few letters mean whatever begins with them; with `*` or `?` they mean what they say. */
export function globOf(words: string | undefined): string | undefined {
  if (words === undefined || /[*?]/.test(words)) return words;
  return `${words}*`;
}

/** Whether a client has left for good: another time it has another id. */
export const isGone = (error: Error | null): boolean => error instanceof ApiError && error.status === 404;

export function useClient(id: string, isPaused: boolean) {
  return useQuery({
    queryKey: ["connections", "client", id],
    queryFn: ({ signal }) => get<ClientDetails>(`${ROUTE}/clients/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: ({ state }) => !isPaused && !isGone(state.error) && AGAIN_MS,
  });
}

export function useChannels({ pattern, sort = LARGEST_FIRST }: ConnectionsSearch, isPaused: boolean) {
  return useQuery({
    queryKey: ["connections", "channels", pattern, sort],
    queryFn: ({ signal }) =>
      get<ChannelsAnswer>(`${ROUTE}/channels`, {
        query: { pattern: globOf(pattern), sort, limit: 1_000 },
        signal,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: !isPaused && AGAIN_MS,
  });
}

/** One channel; `null` if nobody is in it now. */
export function useChannelFigures(name: string, isPaused: boolean) {
  return useQuery({
    queryKey: ["connections", "channel", name],
    queryFn: async ({ signal }) => {
      const { channels } = await get<ChannelsAnswer>(`${ROUTE}/channels`, {
        query: { pattern: name, limit: 1_000 },
        signal,
      });
      return channels.find((channel) => channel.name === name) ?? null;
    },
    refetchInterval: !isPaused && AGAIN_MS,
  });
}

export function useSlow(isPaused: boolean) {
  return useQuery({
    queryKey: ["connections", "slow"],
    queryFn: ({ signal }) => get<SlowAnswer>(`${ROUTE}/slow`, { query: { limit: 100 }, signal }),
    refetchInterval: !isPaused && AGAIN_MS,
  });
}

export type Disconnecting = ({ readonly client: string } | { readonly user: string }) & {
  readonly code: number;
  readonly reason: string | undefined;
};

/** Throws an `ApiError`; a client that nobody knows any more is one of 404. */
export function disconnect(
  whom: Disconnecting,
): Promise<{ readonly disconnected: number; readonly coverage: Coverage }> {
  return post(`${ROUTE}/disconnect`, whom);
}
