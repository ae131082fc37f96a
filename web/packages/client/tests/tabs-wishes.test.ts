/** Wishes of many made one, and conditions on tags decided as the server decides them. */

import { expect, test } from "vitest";
import type { FilterNode, Wish } from "../src/connection.js";
import { merged, passes } from "../src/tabs/wishes.js";
import { WISH } from "./tabs.js";

const EVEN: FilterNode = { key: "parity", cmp: "eq", val: "even" };

const wish = (changes: Partial<Wish>): Wish => ({ ...WISH, ...changes });

test("the highest rate wins, and wanting all wins over any", () => {
  expect(merged([wish({ rate: 1 }), wish({ rate: 5 })]).rate).toBe(5);
  expect(merged([wish({ rate: 1 }), wish({ rate: 0 })]).rate).toBe(0);
});

test("what one wants is asked for", () => {
  const both = merged([wish({ recover: false, joinLeave: true }), wish({ delta: true, isPrivate: true })]);
  expect(both).toMatchObject({ recover: true, joinLeave: true, delta: true, isPrivate: true });
});

test("the server filters where all want the same, and else nobody is filtered", () => {
  expect(merged([wish({ tags: EVEN }), wish({ tags: { ...EVEN } })]).tags).toEqual(EVEN);
  expect(merged([wish({ tags: EVEN }), wish({})]).tags).toBeNull();
});

test.each<[FilterNode, Record<string, string>, boolean]>([
  [{ key: "a", cmp: "eq", val: "1" }, { a: "1" }, true],
  [{ key: "a", cmp: "eq", val: "1" }, {}, false],
  [{ key: "a", cmp: "neq", val: "1" }, {}, true],
  [{ key: "a", cmp: "in", vals: ["", "x"] }, {}, true],
  [{ key: "a", cmp: "nin", vals: ["", "x"] }, {}, false],
  [{ key: "a", cmp: "nin", vals: ["x"] }, {}, true],
  [{ key: "a", cmp: "ex" }, { a: "" }, true],
  [{ key: "toString", cmp: "ex" }, {}, false],
  [{ key: "a", cmp: "nex" }, {}, true],
  [{ key: "a", cmp: "sw", val: "no" }, { a: "north" }, true],
  [{ key: "a", cmp: "ew", val: "no" }, { a: "north" }, false],
  [{ key: "a", cmp: "ct", val: "ort" }, { a: "north" }, true],
  [{ key: "a", cmp: "gt", val: "9" }, { a: "10" }, true],
  [{ key: "a", cmp: "gte", val: "10.0" }, { a: "+10" }, true],
  [{ key: "a", cmp: "lt", val: "-0.5" }, { a: "-0.50000000000000001" }, true],
  [{ key: "a", cmp: "lte", val: "1" }, { a: "1e0" }, false],
  [{ key: "a", cmp: "lte", val: "1" }, {}, false],
  [{ op: "and", nodes: [EVEN, { key: "a", cmp: "ex" }] }, { parity: "even" }, false],
  [{ op: "or", nodes: [EVEN, { key: "a", cmp: "ex" }] }, { parity: "even" }, true],
  [{ op: "not", nodes: [EVEN] }, { parity: "odd" }, true],
])("%j of %j is %j", (node, tags, expected) => {
  expect(passes(node, tags)).toBe(expected);
});
