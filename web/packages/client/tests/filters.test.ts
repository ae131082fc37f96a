import { describe, expect, test } from "vitest";
import { nodeOf } from "../src/filters.js";

describe("a tag filter", () => {
  test("becomes the protocol's tree", () => {
    const filter = {
      and: [["parity", "eq", "even"], { not: ["size", "gte", 10] }, ["kind", "in", ["a", "b"]]],
    } as const;
    expect(nodeOf(filter)).toEqual({
      op: "and",
      nodes: [
        { key: "parity", cmp: "eq", val: "even" },
        { op: "not", nodes: [{ key: "size", cmp: "gte", val: "10" }] },
        { key: "kind", cmp: "in", vals: ["a", "b"] },
      ],
    });
  });
});
