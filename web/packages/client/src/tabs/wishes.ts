/**
 * Many wishes about one channel, made one: what the server is asked for when several tabs follow it.
 *
 * The one wish brings at least what each asks for; what it brings beyond a tab's filter is left out here again, by the
 * rules of the server (`vagus.kernel.filters`).
 */

import type { FilterNode, Wish } from "../connection.js";

/** `data` is that of the first who has any, for the server knows one subscription. */
export function merged(wishes: readonly [Wish, ...Wish[]]): Wish {
  const [first] = wishes;
  const areFilteredAlike = wishes.every((wish) => isSame(wish.tags, first.tags));
  // The newest of all would take the place of the newest that passes a filter.
  const isThinned = areFilteredAlike && wishes.every((wish) => wish.rate > 0);
  return {
    recover: wishes.some((wish) => wish.recover),
    since: null,
    tags: areFilteredAlike ? first.tags : null,
    delta: wishes.some((wish) => wish.delta),
    joinLeave: wishes.some((wish) => wish.joinLeave),
    data: wishes.find((wish) => wish.data !== null)?.data ?? null,
    rate: isThinned ? Math.max(...wishes.map((wish) => wish.rate)) : 0,
    isPrivate: wishes.some((wish) => wish.isPrivate),
  };
}

/** Whether two values that can be JSON are alike. */
export const isSame = (one: unknown, other: unknown): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

type Tags = Readonly<Record<string, string>>;

/** Whether a publication with these tags passes. */
export function passes(node: FilterNode, tags: Tags): boolean {
  const nodes = node.nodes ?? [];
  switch (node.op) {
    case "and":
      return nodes.every((inner) => passes(inner, tags));
    case "or":
      return nodes.some((inner) => passes(inner, tags));
    case "not":
      return !nodes.some((inner) => passes(inner, tags));
    default:
      return holds(node, tags);
  }
}

function holds({ key = "", cmp, val = "", vals = [] }: FilterNode, tags: Tags): boolean {
  const has = Object.hasOwn(tags, key);
  const tag = has ? (tags[key] ?? "") : "";
  switch (cmp) {
    case "eq":
      return has && tag === val;
    case "neq":
      return !(has && tag === val);
    case "in":
      return vals.includes(tag);
    case "nin":
      return !vals.includes(tag);
    case "ex":
      return has;
    case "nex":
      return !has;
    case "sw":
      return tag.startsWith(val);
    case "ew":
      return tag.endsWith(val);
    case "ct":
      return tag.includes(val);
    default:
      return isOrdered(scaled(tag), cmp, scaled(val));
  }
}

function isOrdered(tag: bigint | null, cmp: FilterNode["cmp"], val: bigint | null): boolean {
  if (tag === null || val === null) return false;
  if (cmp === "lt") return tag < val;
  if (cmp === "lte") return tag <= val;
  return cmp === "gt" ? tag > val : cmp === "gte" && tag >= val;
}

const DECIMAL = /^([+-]?)([0-9]+)(?:\.([0-9]{1,19}))?$/;
/** The longest number that the server reads. */
const DECIMAL_LENGTH = 200;

/** A decimal number times 10^19, exactly; `null` for what is none. */
function scaled(text: string): bigint | null {
  const [, sign, whole, fraction = ""] = DECIMAL.exec(text) ?? [];
  if (whole === undefined || text.length > DECIMAL_LENGTH) return null;
  const value = BigInt(whole + fraction.padEnd(19, "0"));
  return sign === "-" ? -value : value;
}
