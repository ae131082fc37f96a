/** Conditions on tags, from the form that is pleasant to write to the protocol's. */

import type { FilterNode } from "./connection.js";
import type { TagFilter } from "./types.js";

const COMPARISONS = {
  eq: "eq",
  neq: "neq",
  starts_with: "sw",
  ends_with: "ew",
  contains: "ct",
  gt: "gt",
  gte: "gte",
  lt: "lt",
  lte: "lte",
  in: "in",
  nin: "nin",
  exists: "ex",
  not_exists: "nex",
} as const;

export function nodeOf(filter: TagFilter): FilterNode {
  if ("and" in filter) return { op: "and", nodes: filter.and.map(nodeOf) };
  if ("or" in filter) return { op: "or", nodes: filter.or.map(nodeOf) };
  if ("not" in filter) return { op: "not", nodes: [nodeOf(filter.not)] };
  const [key, operator, value] = filter;
  const cmp = COMPARISONS[operator];
  if (cmp === undefined) throw new TypeError(`a tag filter has no operator ${String(operator)}`);
  if (value === undefined) return { key, cmp };
  return typeof value === "object" ? { key, cmp, vals: value } : { key, cmp, val: String(value) };
}
