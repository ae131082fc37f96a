/**
 * All nodes as they were when the page was last told, and the lines of their figures over the last minutes.
 *
 * A pause freezes the view and nothing else: what comes meanwhile waits, is counted, and the lines catch up when the view
 * goes on. A node that is missing from a look stays for a while with its last figures, so that nobody overlooks it.
 */

import { Track } from "../../charts/track.js";
import type { Look, Node } from "./values.js";

export interface Seen {
  readonly node: Node;
  /** When it answered last. */
  readonly at: number;
}

export interface WatchState {
  /** `undefined` until the first look. */
  readonly look: Look | undefined;
  readonly nodes: readonly Seen[];
  /** When the view was frozen; 0 while it goes on. */
  readonly pausedAt: number;
  /** How many looks came since. */
  readonly waiting: number;
}

export interface NodeTracks {
  readonly cpu: Track;
  readonly memory: Track;
  readonly lag: Track;
  readonly out: Track;
}

/** How far back the lines go. */
export const LINES_MS = 300_000;
const STEP_MS = 2_000;
const MOST_STEPS = LINES_MS / STEP_MS;
const AWAY_MS = 60_000;

export class Watch {
  #state: WatchState = { look: undefined, nodes: [], pausedAt: 0, waiting: 0 };
  #waiting: Look[] = [];
  #newestAt = 0;
  #shownAt = 0;
  readonly #tracks = new Map<string, NodeTracks>();
  readonly #listeners = new Set<() => void>();

  get = (): WatchState => this.#state;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Take a look that came, once, should it come again. The first one is shown even when paused. */
  take(look: Look): void {
    if (look.at === this.#newestAt) return;
    this.#newestAt = look.at;
    if (this.#state.pausedAt === 0 || this.#state.look === undefined) {
      this.#show([look]);
      return;
    }
    this.#waiting = [...this.#waiting, look].slice(-MOST_STEPS);
    this.#set({ waiting: this.#state.waiting + 1 });
  }

  pause(now: number): void {
    if (this.#state.pausedAt === 0) this.#set({ pausedAt: now });
  }

  resume(): void {
    if (this.#state.pausedAt === 0) return;
    const looks = this.#waiting;
    this.#waiting = [];
    this.#state = { ...this.#state, pausedAt: 0, waiting: 0 };
    this.#show(looks);
  }

  /** The lines of a node; empty ones for one that was never seen. */
  tracksOf(node: string): NodeTracks {
    const known = this.#tracks.get(node);
    if (known) return known;
    const [cpu, memory, lag, out] = [newTrack(), newTrack(), newTrack(), newTrack()];
    const tracks = { cpu, memory, lag, out };
    this.#tracks.set(node, tracks);
    return tracks;
  }

  #show(looks: readonly Look[]): void {
    for (const { at, nodes } of looks) {
      if (at < this.#shownAt) this.#tracks.clear(); // another node tells now, whose clock is behind
      this.#shownAt = at;
      for (const node of nodes) {
        const { cpu, memory, lag, out } = this.tracksOf(node.id);
        cpu.push(at, node.cpuPercent, STEP_MS);
        memory.push(at, node.memoryBytes, STEP_MS);
        lag.push(at, node.loopLagMs.highest, STEP_MS);
        out.push(at, node.messagesOutPerSecond, STEP_MS);
      }
    }
    const look = looks.at(-1) ?? this.#state.look;
    if (look === undefined) return this.#set({});
    const nodes = withAbsent(look, this.#state.nodes);
    for (const id of this.#tracks.keys())
      if (!nodes.some(({ node }) => node.id === id)) this.#tracks.delete(id);
    this.#set({ look, nodes });
  }

  #set(changes: Partial<WatchState>): void {
    this.#state = { ...this.#state, ...changes };
    for (const listener of this.#listeners) listener();
  }
}

function withAbsent({ at, nodes }: Look, before: readonly Seen[]): readonly Seen[] {
  const present = new Set(nodes.map(({ id }) => id));
  const absent = before.filter((seen) => !present.has(seen.node.id) && Math.abs(at - seen.at) < AWAY_MS);
  const all = [...nodes.map((node) => ({ node, at })), ...absent];
  return all.sort(
    (one, other) => one.node.name.localeCompare(other.node.name) || one.node.id.localeCompare(other.node.id),
  );
}

const newTrack = (): Track => new Track(MOST_STEPS);

/** What a message of the channel `connections` carries; `undefined` for anything else. */
export function lookOf(data: unknown): Look | undefined {
  const { type, payload } = (data ?? {}) as { readonly type?: unknown; readonly payload?: unknown };
  // The server and this page are released together: an event of that name has this payload.
  return type === "ConnectionsUpdate" ? (payload as Look) : undefined;
}
