/** What of the Connections page is in its address: the view, filters, order, what is opened, and whether it is paused. */

export const VIEWS = ["nodes", "clients", "channels", "slow"] as const;

export type View = (typeof VIEWS)[number];

export interface ConnectionsSearch {
  /** `nodes` by default. */
  readonly view?: View;
  readonly node?: string;
  readonly user?: string;
  readonly dialect?: string;
  /** Clients in this channel. */
  readonly channel?: string;
  readonly slow?: 1;
  /** Channels with such names. */
  readonly pattern?: string;
  /** A column's name, with `-` before it for the highest first. */
  readonly sort?: string;
  /** The client or the channel whose details are shown. */
  readonly open?: string;
  readonly paused?: 1;
}

const WORDS = ["node", "user", "dialect", "channel", "pattern", "sort", "open"] as const;
const LONGEST = 255;

const isSet = (flag: unknown): boolean => flag === 1 || flag === "1" || flag === true;

/** An address may hold anything: what is no such thing, and what is usual, is left out. */
export function connectionsSearch(search: Record<string, unknown>): ConnectionsSearch {
  const view = VIEWS.find((one) => one === search["view"] && one !== "nodes");
  const words = WORDS.flatMap((name) => {
    const value = search[name];
    // A name of digits alone is a number to whoever reads the address.
    const word = typeof value === "number" ? String(value) : value;
    return typeof word === "string" && word !== "" ? [[name, word.slice(0, LONGEST)]] : [];
  });
  const flags = (["slow", "paused"] as const).flatMap((name) => (isSet(search[name]) ? [[name, 1]] : []));
  return { ...(view && { view }), ...Object.fromEntries([...words, ...flags]) };
}
