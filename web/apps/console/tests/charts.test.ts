/** What charts are drawn from, and when: tracks, the scheduler, ranges, summaries. */

import { describe, expect, test } from "vitest";
import { axisTexts, numberText, timeTexts } from "../src/charts/format.js";
import { heightOf } from "../src/charts/height.js";
import { dashOf, type Palette } from "../src/charts/palette.js";
import { HEIGHT, pathOf, WIDTH } from "../src/charts/path.js";
import { fixed, rangeFrom, textOf } from "../src/charts/ranges.js";
import { Scheduler } from "../src/charts/scheduler.js";
import { labsSearch } from "../src/charts/search.js";
import { summaryOf } from "../src/charts/summary.js";
import { aligned, indexAt, Track } from "../src/charts/track.js";

const columns = (at: readonly number[], values: readonly (number | null)[]) => {
  return { at, min: values, max: values, mean: values };
};

function track(
  at: readonly number[],
  values: readonly (number | null)[],
  stepMs = 10,
  capacity = 100,
): Track {
  const made = new Track(capacity);
  made.replace(columns(at, values), stepMs);
  return made;
}

describe("a track", () => {
  test("folds what comes into the step that it falls into", () => {
    const line = track([0, 10], [1, 2]);
    line.push(14, 6, 5);
    expect([line.at, line.min, line.max, line.mean]).toEqual([
      [0, 10],
      [1, 2],
      [1, 6],
      [1, 4],
    ]);
    expect(line.hasBand).toBe(true);
  });

  test("tells the newest value by itself, not what its step comes to", () => {
    const line = track([0, 10], [1, 2]);
    expect(line.newest).toBe(2);
    line.push(14, 6, 5);
    expect(line.newest).toBe(6);
  });

  test("leaves a gap where values were missed", () => {
    const line = track([0, 10], [1, 2]);
    line.push(100, 3, 10);
    expect(line.at).toEqual([0, 10, 20, 100]);
    expect(line.mean).toEqual([1, 2, null, 3]);
  });

  test("does not take a slow pace for a gap", () => {
    const line = track([0], [1]);
    line.push(1_000, 2, 1_000);
    expect(line.mean).toEqual([1, 2]);
  });

  test("never holds much more than its capacity", () => {
    const line = new Track(50);
    for (let at = 0; at < 10_000; at++) line.push(at, at, 1);
    expect(line.at.length).toBeLessThan(120);
    expect(line.newest).toBe(9_999);
  });

  test("leaves out what is older than its last step", () => {
    const line = track([0, 10], [1, 2]);
    line.push(3, 9, 5);
    expect(line.mean).toEqual([1, 2]);
  });
});

describe("under the cursor", () => {
  const at = [100, 110, 120, 200, 210, 500];
  const line = track(at, [1, 2, null, null, 5, 6]);

  test.each([
    ["on a step", 110, 2],
    ["just before the first", 86, 1],
    ["long before the first", 84, undefined],
    ["nearer to where a gap begins", 117, null],
    ["in a gap", 160, undefined],
    ["where a line leads across, however far", 400, 6],
    ["just after the last", 514, 6],
    ["long after the last", 516, undefined],
  ])("%s", (_, time, value) => {
    const index = indexAt(line, time);
    expect(index === undefined ? undefined : line.mean[index]).toBe(value);
  });

  test("there is nothing in a line without any step", () => {
    expect(indexAt(new Track(10), 0)).toBeUndefined();
  });
});

test("lines with different times are aligned, and what only others have is no gap", () => {
  const [times, one, other] = aligned([columns([0, 10], [1, null]), columns([5], [7])], (line) => [
    line.mean,
  ]);
  expect(times).toEqual([0, 5, 10]);
  expect(one).toEqual([1, undefined, null]);
  expect(other).toEqual([undefined, 7, undefined]);
});

describe("the scheduler", () => {
  function page(msPerDrawing: number) {
    let [now, frame]: [number, (() => void) | undefined] = [0, undefined];
    const drawn: string[] = [];
    const request = (callback: () => void): void => {
      frame = callback;
    };
    const scheduler = new Scheduler({ request, now: () => now });
    const drawing = (name: string) => ({
      draw: () => {
        drawn.push(name);
        now += msPerDrawing;
      },
    });
    const next = (): void => {
      const due = frame;
      frame = undefined;
      due?.();
    };
    return { scheduler, drawing, drawn, next };
  }

  test("draws once what was marked often", () => {
    const { scheduler, drawing, drawn, next } = page(1);
    const one = drawing("one");
    scheduler.mark(one);
    scheduler.mark(one);
    next();
    next();
    expect(drawn).toEqual(["one"]);
  });

  test("leaves for the next frame what this one has no time for", () => {
    const { scheduler, drawing, drawn, next } = page(10);
    for (const name of ["one", "two"]) scheduler.mark(drawing(name));
    next();
    expect(drawn).toEqual(["one"]);
    next();
    expect(drawn).toEqual(["one", "two"]);
  });

  test("draws what cannot be seen only when it is seen again", () => {
    const { scheduler, drawing, drawn, next } = page(1);
    const one = drawing("one");
    scheduler.show(one, false);
    scheduler.mark(one);
    next();
    expect(drawn).toEqual([]);
    scheduler.show(one, true);
    next();
    expect(drawn).toEqual(["one"]);
  });
});

describe("a range", () => {
  test.each(["15m", "24h", "30d", "1000000-2000000"])("%s is what it was in the address", (text) => {
    expect(textOf(rangeFrom(text))).toBe(text);
  });

  test.each([undefined, "", "1y", "x-y", "99999999999999999-1"])("%s is a day", (text) => {
    expect(textOf(rangeFrom(text))).toBe("24h");
  });

  test("of two moments may be given either way, and is five seconds long at least", () => {
    expect(fixed(20_000, 10_000)).toEqual({ kind: "fixed", from: 10_000, to: 20_000 });
    expect(fixed(10_000, 10_000)).toEqual({ kind: "fixed", from: 7_500, to: 12_500 });
    expect(fixed(Number.NaN, 1)).toBeUndefined();
  });
});

test("a chart is summed up in a sentence", () => {
  const named = [{ label: "Revenue", unit: "EUR", columns: columns([0, 10, 20], [5, null, 8]) }];
  expect(summaryOf(named, { from: 0, to: 30 }, "the last hour")).toBe(
    "Revenue 8 EUR, up 3 in the last hour, between 5 and 8, with 1 gap.",
  );
  expect(summaryOf(named, { from: 40, to: 50 }, "the last hour")).toBe("Revenue: no data in the last hour.");
});

test("a sparkline is broken where there is a gap", () => {
  const { line } = pathOf(columns([0, 10, 20, 30], [1, 2, null, 3]), { from: 0, to: 30 });
  expect(line.match(/M/g)).toHaveLength(2);
});

test("a sparkline has its whole width, and what lies below each piece", () => {
  const { line, area, end } = pathOf(columns([0, 10, 20, 30], [1, 2, null, 3]), { from: 0, to: 30 });
  expect(line).toMatch(/^M0\.0 /);
  expect(end.startsWith(`${WIDTH}.0 `)).toBe(true);
  expect(area.match(new RegExp(` ${HEIGHT}Z`, "g"))).toHaveLength(2);
});

test.each([
  [
    [1_242.5, 1_245, 1_247.5],
    ["1,242.5", "1,245.0", "1,247.5"],
  ],
  [
    [48_250, 48_300],
    ["48,250", "48,300"],
  ],
  [
    [0, 0.25, 0.5],
    ["0.00", "0.25", "0.50"],
  ],
  [
    [1_200_000, 1_250_000, 1_300_000],
    ["1.20M", "1.25M", "1.30M"],
  ],
  [
    [0, 2e-9],
    ["0", "2E-9"],
  ],
  [
    [99_999.001, 99_999.002],
    ["99,999.001", "99,999.002"],
  ],
  [
    [-1.25e300, 0, 1.25e300],
    ["-1.25E300", "0", "1.25E300"],
  ],
  [[5], ["5"]],
])("the marks %j of an axis are told apart", (marks, texts) => {
  expect(axisTexts(marks)).toEqual(texts);
});

test("where all lines have one colour each has its own dashes", () => {
  const palette: Palette = { series: [], solid: 1, text: "", grid: "", font: "", textPx: 11 };
  const dashes = Array.from({ length: 8 }, (_, index) => dashOf(palette, index).join());
  expect(new Set(dashes).size).toBe(8);
});

test.each([
  [null, null, [0, 1]],
  [0, 0, [0, 1]],
  [100, 100, [98, 102]],
  [1, 101, [0, 113]],
  [0.1 + 0.2, 0.3, [0.294, 0.306]],
])("an axis for %s to %s spans %j", (low, high, span) => {
  const [from, to] = heightOf(low, high);
  expect(from).toBeCloseTo(span[0] ?? Number.NaN);
  expect(to).toBeCloseTo(span[1] ?? Number.NaN);
});

test.each([
  [-1_234_567.891, "-1,234,567.89"],
  [999_999_999_999_999, "999,999,999,999,999"],
  [1e15, "1E15"],
  [-1.23456e300, "-1.235E300"],
  [1e-9, "0.000000001"],
])("%d reads %s", (value, text) => {
  expect(numberText(value)).toBe(text);
});

test.each([
  [[at(21, 22), at(21, 23), at(22, 0)], 3_600_000, ["10:00 PM\n11/21/26", "11:00 PM", "12:00 AM\n11/22/26"]],
  [[at(21, 22, 0), at(21, 22, 5)], 5_000, ["10:00:00 PM\n11/21/26", "10:00:05 PM"]],
  [[at(21), at(22)], 86_400_000, ["Nov 21", "Nov 22"]],
  [[at(1), at(31)], 30 * 86_400_000, ["Nov 2026", "Dec 2026"]],
])("the times %j, %d apart, are written as the reader writes them", (marks, stepMs, texts) => {
  // Before AM and PM stands a space of another width.
  expect(timeTexts(marks, stepMs).map((text) => text.replaceAll("\u202f", " "))).toEqual(texts);
});

function at(day: number, hour = 0, second = 0): number {
  return new Date(2026, 10, day, hour, 0, second).getTime();
}

test("the laboratory's address is bounded", () => {
  expect(labsSearch({ charts: 1e9, hz: "10" })).toEqual({ charts: 50, hz: 10 });
  expect(labsSearch({ charts: -1, hz: "fast" })).toEqual({});
});
