import { describe, expect, test } from "vitest";
import { Ring } from "../src/ring.js";

describe("a ring", () => {
  test("keeps the newest, oldest first", () => {
    const ring = new Ring<number>(3);
    for (const item of [1, 2, 3, 4, 5]) ring.push(item);
    expect(ring.toArray()).toEqual([3, 4, 5]);
    expect(ring.size).toBe(3);
  });

  test("knows each item by its number, for as long as it holds it", () => {
    const ring = new Ring<string>(2);
    for (const item of ["a", "b", "c"]) ring.push(item);
    expect([ring.begin, ring.end]).toEqual([1, 3]);
    expect([ring.at(0), ring.at(1), ring.at(2), ring.at(3)]).toEqual([undefined, "b", "c", undefined]);
  });

  test("may hold nothing", () => {
    const ring = new Ring<number>(0);
    ring.push(1);
    expect(ring.toArray()).toEqual([]);
    expect(ring.at(0)).toBeUndefined();
  });
});
