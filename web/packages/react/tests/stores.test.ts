import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Announcement, newAnnouncements } from "../src/stores/announcements.js";
import { cellOf } from "../src/stores/cell.js";
import { ago } from "../src/stores/clock.js";
import { toastOf } from "../src/stores/events.js";
import { same } from "../src/stores/same.js";
import { extended, MOST_SERIES, NO_POINTS, numbersIn } from "../src/stores/series.js";
import { newToasts } from "../src/stores/toasts.js";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("announcements", () => {
  const said = (): { readonly texts: string[]; readonly region: (one: Announcement) => void } => {
    const texts: string[] = [];
    return { texts, region: ({ text, urgent }) => texts.push(urgent ? `! ${text}` : text) };
  };

  test("are made at once, and then at most once in five seconds, as a summary", () => {
    const { texts, region } = said();
    const { say, join } = newAnnouncements();
    join(region);
    say("one");
    for (const text of ["two", "three", "three"]) say(text);
    say("disk full", true);
    say("four");
    expect(texts).toEqual(["one"]);
    vi.advanceTimersByTime(5_000);
    expect(texts).toEqual(["one", "! 4 new messages, 1 urgent. disk full"]);
    vi.advanceTimersByTime(5_000);
    say("later");
    expect(texts.at(-1)).toBe("later");
  });

  test("are made by the newest region alone", () => {
    const [page, dialog] = [said(), said()];
    const { say, join } = newAnnouncements();
    join(page.region);
    const close = join(dialog.region);
    say("in the dialog");
    close();
    vi.advanceTimersByTime(5_000);
    say("on the page");
    expect([dialog.texts, page.texts]).toEqual([["in the dialog"], ["on the page"]]);
  });

  test("are not repeated within five seconds, and are later", () => {
    const { texts, region } = said();
    const { say, join } = newAnnouncements();
    join(region);
    say("lost");
    say("lost");
    vi.advanceTimersByTime(5_000);
    expect(texts).toEqual(["lost"]);
    say("lost");
    expect(texts).toEqual(["lost", "lost"]);
  });
});

describe("a cell", () => {
  test("begins with its first listener and ends after the last, unless one comes back in time", () => {
    const steps: string[] = [];
    const begin = (): (() => void) => {
      steps.push("begin");
      return () => steps.push("end");
    };
    const cell = cellOf(0, begin, 1_000);
    const leave = cell.subscribe();
    leave();
    vi.advanceTimersByTime(999);
    cell.subscribe()();
    vi.advanceTimersByTime(999);
    expect(steps).toEqual(["begin"]);
    vi.advanceTimersByTime(1);
    expect(steps).toEqual(["begin", "end"]);
  });
});

describe("series", () => {
  const point = (
    time: number,
    values: Record<string, number> = { a: time },
  ): Parameters<typeof extended>[1][0] => ({
    time,
    values,
  });

  test("keep the newest points", () => {
    const first = extended(NO_POINTS, [point(1), point(2)], 3);
    const second = extended(first, [point(3), point(4)], 3);
    expect([...second.times]).toEqual([2, 3, 4]);
    expect(second.series["a"]).toEqual(Float64Array.of(2, 3, 4));
    expect([...first.times]).toEqual([1, 2]);
    expect(second.version).toBeGreaterThan(first.version);
  });

  test("leave out points that are older than the newest, or of no known time", () => {
    const { times } = extended(NO_POINTS, [point(0), point(5), point(4), point(5), point(Number.NaN)], 9);
    expect([...times]).toEqual([5, 5]);
  });

  test("have a bound on their names", () => {
    const values = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`s${n}`, n]));
    expect(Object.keys(extended(NO_POINTS, [point(1, values)], 9).series)).toHaveLength(MOST_SERIES);
  });

  test("are found in numbers, objects and events", () => {
    expect(numbersIn(5)).toEqual({ value: 5 });
    expect(numbersIn({ a: 1, b: "x" })).toEqual({ a: 1 });
    expect(numbersIn({ type: "Load", at: 1, payload: { a: 2 } })).toEqual({ a: 2 });
    expect(numbersIn("text")).toEqual({});
  });
});

describe("toasts", () => {
  test("are bounded, the oldest goes", () => {
    const toasts = newToasts(() => {});
    for (let n = 0; n < 60; n++) toasts.add({ title: String(n) });
    expect(toasts.all.get()).toHaveLength(50);
    expect(toasts.all.get()[0]?.title).toBe("10");
  });

  test.each([
    [{ type: "Alert", payload: { title: "t", message: "m", severity: "error" } }, "error", "t", "m"],
    [
      { type: "fusionAlert", payload: { metric: "memos", value: 1, threshold: 2 } },
      "warning",
      "memos",
      "1, threshold 2",
    ],
    [
      { type: "SystemEvent", payload: { event: "deployment", severity: "nonsense" } },
      "info",
      "deployment",
      "",
    ],
    [{ type: "Alert", payload: null }, "warning", "Alert", ""],
  ])("are made of %j", (event, severity, title, message) => {
    expect(toastOf(event)).toEqual({ severity, title, message });
  });

  test.each([null, 1, "Alert", {}, { type: 5, payload: 1 }, { type: "UserActivity", payload: {} }])(
    "are not made of %j",
    (data) => {
      expect(toastOf(data)).toBeUndefined();
    },
  );
});

test.each([
  [0, "now"],
  [59_999, "59 seconds ago"],
  [60_000, "1 minute ago"],
  [7_200_000, "2 hours ago"],
  [-5_000, "now"],
])("an age of %i ms is %s", (age, words) => {
  expect(ago(1_000_000_000, 1_000_000_000 + age)).toBe(words);
});

test.each([
  [1, 1, true],
  [{ a: 1 }, { a: 1 }, true],
  [[1, 2], [1, 2], true],
  [{ a: {} }, { a: {} }, false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [new Map(), new Map(), false],
  [Number.NaN, Number.NaN, true],
])("%j and %j are the same: %j", (one, other, expected) => {
  expect(same(one, other)).toBe(expected);
});
