/** The rules of the command centre: what changed, what waits, how the page does, and what the form of a source says. */

import { describe, expect, test } from "vitest";
import { Board } from "../src/pages/command/board.js";
import { type Circumstances, conditionOf } from "../src/pages/command/condition.js";
import { Feed } from "../src/pages/command/feed.js";
import { draftOf, EMPTY, missingIn, tableOf } from "../src/pages/command/kinds.js";
import { titleOf } from "../src/pages/command/names.js";
import { minutesFrom } from "../src/pages/command/pace.js";
import { changesOf, type Pulse, turnsOf } from "../src/pages/command/pulses.js";
import { commandSearch } from "../src/pages/command/search.js";
import { chartsOf, stateOf } from "../src/pages/command/sources.js";

const NOW = 1_795_000_000_000;

function pulse(number: number, values: Pulse["values"] = {}, changes: Partial<Pulse> = {}): Pulse {
  const at = NOW + number * 1_000;
  return {
    id: `pulse-${number}`,
    at,
    number,
    intervalSeconds: 1,
    isPaused: false,
    values,
    sources: {},
    ...changes,
  };
}

const mark = (status: "ok" | "failed") => ({
  status,
  asOf: NOW,
  error: status === "ok" ? "" : "gone",
  demo: false,
});

test("changes are told with their difference, of lists by their lengths", () => {
  const before = pulse(1, { memos: 3, tasks: ["a"], status: "OK", same: [1] });
  const after = pulse(2, { memos: 5, tasks: ["a", "b"], status: "ERROR", same: [1], newcomer: 1 });
  expect(changesOf(before, after)).toEqual([
    { name: "memos", before: 3, after: 5, by: 2 },
    { name: "tasks", before: ["a"], after: ["a", "b"], by: 1 },
    { name: "status", before: "OK", after: "ERROR", by: null },
  ]);
});

test("a source that fails and one that answers again are told", () => {
  const before = pulse(1, {}, { sources: { a: mark("ok"), b: mark("failed"), c: mark("ok") } });
  const after = pulse(2, {}, { sources: { a: mark("failed"), b: mark("ok"), c: mark("ok") } });
  expect(turnsOf(before, after)).toEqual([
    { name: "a", failed: true, error: "gone" },
    { name: "b", failed: false, error: "" },
  ]);
});

describe("a paused feed", () => {
  test("counts what waits, and shows it in its order when it goes on", () => {
    const feed = new Feed();
    const told: string[] = [];
    feed.take([pulse(1)]);
    feed.listen((pulses) => told.push(...pulses.map(({ id }) => id)));
    feed.pause(NOW);
    feed.take([pulse(2), pulse(3)]);
    expect([feed.get().waiting, feed.get().shown.length, told]).toEqual([2, 1, []]);
    feed.resume();
    expect([feed.get().waiting, feed.get().shown.length, told]).toEqual([0, 3, ["pulse-2", "pulse-3"]]);
  });

  test("does not count a pulse twice that comes again after a loss", () => {
    const feed = new Feed();
    feed.take([pulse(1)]);
    feed.pause(NOW);
    feed.take([pulse(1), pulse(2)]);
    feed.take([pulse(2)]);
    expect(feed.get().waiting).toBe(1);
  });

  test("shows the first pulse of all, since there is nothing else to look at", () => {
    const feed = new Feed();
    feed.pause(NOW);
    feed.take([pulse(1)]);
    expect(feed.get().shown).toHaveLength(1);
  });

  test("says that some were lost when too many waited", () => {
    const feed = new Feed();
    let isLost = false;
    feed.listen((_, lost) => {
      isLost = lost;
    });
    feed.take([pulse(0)]);
    feed.pause(NOW);
    for (let number = 1; number <= 700; number++) feed.take([pulse(number)]);
    feed.resume();
    expect(isLost).toBe(true);
  });
});

describe("the page's condition", () => {
  const well: Circumstances = {
    connection: { state: "connected", reason: "" },
    subscription: { state: "subscribed", reason: "" },
    newest: pulse(0),
    since: NOW,
    now: NOW + 1_000,
  };
  const minutes = (count: number): number => NOW + count * 60_000;

  test.each<[string, Partial<Circumstances>, string]>([
    ["all is well", {}, "Live"],
    ["nothing came for ten minutes", { now: minutes(11) }, "No data pulse - check backend"],
    [
      "two slow intervals are not over",
      { now: minutes(11), newest: pulse(0, {}, { intervalSeconds: 600 }) },
      "Live",
    ],
    [
      "two slow intervals are over",
      { now: minutes(21), newest: pulse(0, {}, { intervalSeconds: 600 }) },
      "No data pulse - check backend",
    ],
    [
      "the emitter was paused",
      { now: minutes(60), newest: pulse(0, {}, { isPaused: true }) },
      "The emitter is paused",
    ],
    ["there was no pulse yet", { newest: undefined }, "Waiting for the first pulse"],
    [
      "the connection is lost",
      { connection: { state: "connecting", reason: "connection lost" } },
      "Reconnecting",
    ],
    ["it is given up", { connection: { state: "error", reason: "refused" } }, "No connection"],
    ["somebody disconnected", { connection: { state: "disconnected", reason: "" } }, "Disconnected"],
    [
      "the role does not do",
      { subscription: { state: "unsubscribed", reason: "permission denied" } },
      "Pulses are refused",
    ],
  ])("when %s", (_, changes, title) => {
    const condition = conditionOf({ ...well, ...changes });
    expect(condition.title).toBe(title);
    expect(condition.advice).not.toBe("");
  });
});

describe("a board", () => {
  const history = { from_ms: NOW - 60_000, to_ms: NOW, step_ms: 1_000, tier: "raw" };

  test("carries the history on with pulses", () => {
    const board = new Board(100);
    const values = [1, 2];
    const at = [NOW - 2_000, NOW - 1_000];
    board.load({ ...history, series: [{ metric: "memos", at, min: values, max: values, mean: values }] }, []);
    board.push([pulse(1, { memos: 3 })]);
    expect(board.track("memos").mean).toEqual([1, 2, 3]);
  });

  test("takes no remembered value of a source that fails", () => {
    const board = new Board(100);
    board.sources = new Map([["memos", "memoIndex"]]);
    const line = board.track("memos");
    board.push([pulse(1, { memos: 3 }, { sources: { memoIndex: mark("failed") } })]);
    expect(line.at).toEqual([]);
  });
});

test("values with different units have charts of their own, and texts none", () => {
  const fields = [
    { name: "used", kind: "number", unit: "GiB" },
    { name: "free", kind: "number", unit: "GiB" },
    { name: "load", kind: "number", unit: "" },
    { name: "state", kind: "text", unit: "" },
  ] as const;
  const charts = chartsOf([{ name: "nodeDisk", fields }], new Board(10));
  expect(charts.map(({ title, lines }) => [title, lines.length])).toEqual([
    ["Node disk, GiB", 2],
    ["Load", 1],
  ]);
});

test("a source that never gave anything is not called broken", () => {
  expect(stateOf("failed", true).words).toBe("Nothing yet");
  expect(stateOf("failed", false).words).toBe("Failed");
});

test.each([
  ["openOrders", "Open orders"],
  ["memoIndex", "Memos"],
  ["cpuLoad5", "Cpu load5"],
  ["mrrEUR", "Mrr EUR"],
])("%s is called %s", (name, title) => {
  expect(titleOf(name)).toBe(title);
});

test.each([
  ["3", 3],
  [" 0,5 ", 0.5],
  ["1440", 1440],
])("%j minutes are a pace", (text, minutes) => {
  expect(minutesFrom(text)).toBe(minutes);
});

test.each(["", "soon", "0", "-1", "1441", "Infinity"])("%j minutes are none, and it is said why", (text) => {
  expect(minutesFrom(text)).toBeTypeOf("string");
});

test("the address keeps only what the page understands", () => {
  expect(commandSearch({ range: "6h", paused: 1 })).toEqual({ range: "6h", paused: 1 });
  expect(commandSearch({ range: "24h", paused: 0, other: "x" })).toEqual({});
  expect(commandSearch({ range: "1000-2000" })).toEqual({ range: "1000-2000" });
});

describe("the form of a source", () => {
  test("becomes settings, without what was left empty", () => {
    const draft = {
      ...EMPTY,
      name: "openOrders",
      texts: { path: " orders.json " },
      values: [{ name: "open", where: "$.open", kind: "number", unit: "" }],
    } as const;
    expect(missingIn(draft)).toBe("");
    expect(tableOf(draft)).toEqual({
      kind: "json_file",
      name: "openOrders",
      path: "orders.json",
      fields: [{ name: "open", select: "$.open", kind: "number" }],
    });
  });

  test("sends a secret only if it was typed", () => {
    const draft = { ...EMPTY, kind: "http_json", name: "a", texts: { url: "https://shop.example" } } as const;
    expect(tableOf(draft)).not.toHaveProperty("headers");
    const typed = { ...draft, texts: { ...draft.texts, authorization: "Bearer x" } };
    expect(tableOf(typed)).toMatchObject({ headers: { Authorization: "Bearer x" } });
  });

  test("keeps the settings that it does not show", () => {
    const settings = {
      path: "a.json",
      timeout_s: 2,
      max_bytes: 5,
      fields: [{ name: "a", kind: "number", select: "$.a" }],
    };
    const draft = draftOf("orders", "json_file", settings);
    expect(draft && tableOf(draft)).toMatchObject({ ...settings, kind: "json_file", name: "orders" });
  });

  test("is not offered for a source that it would spoil", () => {
    const fields = [{ name: "a", kind: "number", select: "$.a", combine: "sum" }];
    expect(draftOf("orders", "json_file", { path: "a.json", fields })).toBeUndefined();
  });

  test.each([
    [{ name: "" }, "name"],
    [{ name: "Open orders" }, "camelCase"],
    [{ name: "orders", texts: {} }, "File is needed."],
  ])("says what is missing in %j", (changes, words) => {
    expect(missingIn({ ...EMPTY, texts: { path: "a" }, ...changes })).toContain(words);
  });
});
