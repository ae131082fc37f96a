import { afterEach, expect, test } from "vitest";
import { clockAhead, compare } from "../src/clock.js";

const AT = Date.UTC(2026, 10, 21, 18);
const DATE = new Date(AT).toUTCString();
const HOUR_MS = 3_600_000;

afterEach(() => compare(DATE, AT, AT));

test.each([
  [AT + 900, 0],
  [AT + 30_000, 0],
  [AT - 30_000, 0],
  [AT + HOUR_MS + 900, HOUR_MS],
  [AT - HOUR_MS, -HOUR_MS],
])("a clock at %d is as far ahead as %d", (now, ahead) => {
  compare(DATE, now, now);
  expect(clockAhead.get()).toBe(ahead);
});

test("a clock that was set is right again", () => {
  compare(DATE, AT + HOUR_MS, AT + HOUR_MS);
  compare(DATE, AT, AT);
  expect(clockAhead.get()).toBe(0);
});

test("an answer that took long, or tells no time, says nothing of the clock", () => {
  compare(DATE, AT, AT + HOUR_MS);
  compare(null, AT + HOUR_MS, AT + HOUR_MS);
  compare(DATE, AT + HOUR_MS, AT);
  expect(clockAhead.get()).toBe(0);
});
