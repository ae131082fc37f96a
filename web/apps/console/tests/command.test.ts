/** The rules of the command centre: what changed, what waits, how the page does, and what the form of a source says. */

import { describe, expect, test } from "vitest";
import { Board } from "../src/pages/command/board.js";
import { columnsFor } from "../src/pages/command/columns.js";
import { type Circumstances, conditionOf } from "../src/pages/command/condition.js";
import {
  draftOf,
  EMPTY,
  isOther,
  labelAt,
  NEW_VALUE,
  problemFrom,
  problemIn,
  tableOf,
} from "../src/pages/command/draft.js";
import { Feed } from "../src/pages/command/feed.js";
import { titleOf } from "../src/pages/command/names.js";
import { paceText, secondsFrom } from "../src/pages/command/pace.js";
import { changesOf, type Pulse, type Status, turnsOf } from "../src/pages/command/pulses.js";
import { commandSearch } from "../src/pages/command/search.js";
import { awaitedIn, chartsOf, stateOf } from "../src/pages/command/sources.js";

const NOW = 1_795_000_000_000;

function pulse(number: number, values: Pulse["values"] = {}, changes: Partial<Pulse> = {}): Pulse {
  const at = NOW + number * 1_000;
  return {
    id: `pulse-${number}`,
    at,
    number,
    intervalSeconds: 1,
    paused: false,
    values,
    sources: {},
    ...changes,
  };
}

const mark = (status: Status) => ({
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
    { name: "a", turn: "failed" },
    { name: "b", turn: "answers again" },
  ]);
});

test("a source that answers for the first time does not answer again", () => {
  const never = (status: Status) => ({ ...mark(status), asOf: 0 });
  const before = pulse(1, {}, { sources: { a: never("failed"), b: never("waiting"), c: never("failed") } });
  const after = pulse(2, {}, { sources: { a: mark("ok"), b: mark("ok"), c: never("waiting") } });
  expect(turnsOf(before, after)).toEqual([
    { name: "a", turn: "answers" },
    { name: "b", turn: "answers" },
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
    isAway: false,
    subscription: { state: "subscribed", reason: "" },
    newest: pulse(0),
    pace: undefined,
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
      { now: minutes(60), newest: pulse(0, {}, { paused: true }) },
      "Pulses are paused for everybody",
    ],
    [
      "it was paused since the newest pulse",
      { now: minutes(60), pace: { intervalSeconds: 60, paused: true } },
      "Pulses are paused for everybody",
    ],
    [
      "it went on since",
      { newest: pulse(0, {}, { paused: true }), pace: { intervalSeconds: 60, paused: false } },
      "Live",
    ],
    [
      "it was slowed down since",
      { now: minutes(21), pace: { intervalSeconds: 3_600, paused: false } },
      "Live",
    ],
    [
      "a source fails and another is not there yet",
      { newest: pulse(0, {}, { sources: { a: mark("failed"), b: mark("waiting"), c: mark("ok") } }) },
      "Live, but 1 source fails",
    ],
    ["there was no pulse yet", { newest: undefined }, "Waiting for the first pulse"],
    ["there is no connection", { isAway: true }, "No pulses for now"],
    [
      "there was none from the beginning",
      { isAway: true, newest: undefined, now: minutes(60) },
      "Waiting for the first pulse",
    ],
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
  const history = { fromMs: NOW - 60_000, toMs: NOW, stepMs: 1_000, tier: "raw" };

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

test("a source that nobody has made yet is not called broken", () => {
  expect(stateOf("waiting").words).toBe("Nothing yet");
  expect(stateOf("failed").words).toBe("Failed");
});

test("while the connection is away nothing is called well", () => {
  expect(stateOf("ok", true)).toEqual({ tone: "unknown", words: "Last known" });
  expect(stateOf("waiting", true).words).toBe("Nothing yet");
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
  ["3", 180],
  [" 0,5 ", 30],
  ["1440", 86_400],
  ["5 s", 5],
  ["5sec", 5],
  ["3 min", 180],
  ["1.5 h", 5_400],
  ["1 hour", 3_600],
  ["1 d", 86_400],
])("%j is a pace", (text, seconds) => {
  expect(secondsFrom(text)).toBe(seconds);
});

test.each(["", "soon", "0", "-1", "1441", "Infinity", "0.5 s", "25 h", "5 weeks", "5 s s"])(
  "%j is none, and it is said why",
  (text) => {
    expect(secondsFrom(text)).toBeTypeOf("string");
  },
);

test.each([
  [5, "5 s"],
  [180, "3 min"],
  [5_400, "1.5 h"],
  [86_400, "24 h"],
])("%s seconds are written as they may be typed", (seconds, text) => {
  expect(paceText(seconds)).toBe(text);
  expect(secondsFrom(text)).toBe(seconds);
});

test.each([
  [5, 4, 3],
  [7, 6, 4],
  [4, 4, 4],
  [9, 4, 3],
  [3, 2, 2],
  [1, 6, 1],
  [0, 4, 1],
])("%s cards where there is room for %s in a row stand in %s columns", (count, most, columns) => {
  expect(columnsFor(count, most)).toBe(columns);
});

test("what a source waits for is named by its error", () => {
  expect(awaitedIn("/data/my memos.json is not there: check its path")).toBe("/data/my memos.json");
  expect(awaitedIn("the list is empty")).toBeUndefined();
});

test("the address keeps only what the page understands", () => {
  expect(commandSearch({ range: "6h", paused: 1 })).toEqual({ range: "6h", paused: 1 });
  expect(commandSearch({ range: "24h", paused: 0, other: "x" })).toEqual({});
  expect(commandSearch({ range: "1000-2000" })).toEqual({ range: "1000-2000" });
});

describe("the form of a source", () => {
  const value = (texts: Readonly<Record<string, string>>) => ({ texts, rest: {} });

  test("becomes settings, without what was left empty", () => {
    const draft = {
      ...EMPTY,
      name: "openOrders",
      texts: { path: " orders.json ", timeout_s: "2.5", max_bytes: "" },
      values: [value({ name: "open", select: "$.open", combine: "sum", unit: "" })],
    };
    expect(problemIn(draft)).toBeUndefined();
    expect(tableOf(draft)).toEqual({
      kind: "json_file",
      name: "openOrders",
      path: "orders.json",
      timeout_s: 2.5,
      fields: [{ name: "open", select: "$.open", combine: "sum" }],
    });
  });

  test("sends a secret only if it was typed, and an empty table where it was emptied by hand", () => {
    const draft = { ...EMPTY, kind: "http_json", name: "a", texts: { url: "https://shop.example" } } as const;
    expect(tableOf(draft)).not.toHaveProperty("headers");
    const typed = {
      ...draft,
      texts: { ...draft.texts, headers: "Authorization: Bearer a:b\n\nAccept: */*" },
    };
    expect(tableOf(typed)).toMatchObject({ headers: { Authorization: "Bearer a:b", Accept: "*/*" } });
    expect(tableOf({ ...draft, texts: { ...draft.texts, headers: "" } })).toMatchObject({ headers: {} });
  });

  test.each([
    ["json_file", { path: "a.json", timeout_s: 2, freshness_s: 60, every_s: 10, max_bytes: 5 }],
    ["json_file", { path: "a.json", fields: [{ name: "a", select: "$.a", kind: "number", combine: "sum" }] }],
    ["json_file", { path: "a.json", fields: [{ name: "a", kind: "number", look_for: "amount" }] }],
    ["json_list", { path: "a.json", select: "$.tasks", unit: "tasks" }],
    ["log_file", { path: "a.log", pattern: "(?P<a>x)", fields: [{ name: "a", kind: "text", unit: "x" }] }],
    ["http_json", { url: "https://a.example", headers: { Accept: "a:b" }, ca_file: "ca.pem" }],
    [
      "prometheus",
      {
        url: "http://a.example",
        fields: [{ name: "a", metric: "b", labels: { mode: "idle" }, combine: "max" }],
      },
    ],
    ["sql", { url: "sqlite:///a.db", query: "select 1", fields: [{ name: "a", kind: "moment" }] }],
    ["git_activity", { path: "project", branch: "main", every_s: 5 }],
  ])("shows all settings of %s, and gives them back as they were", (kind, settings) => {
    const draft = draftOf({ name: "orders", kind, settings });
    expect(draft.rest).toEqual({});
    expect(tableOf(draft)).toEqual({ ...settings, kind, name: "orders" });
  });

  test("keeps what it does not know", () => {
    const settings = { path: "a.json", later: 1, fields: [{ name: "a", later: true }] };
    const draft = draftOf({ name: "orders", kind: "json_file", settings });
    expect(tableOf(draft)).toEqual({ ...settings, kind: "json_file", name: "orders" });
  });

  test.each([
    [{ name: "" }, "name", "name"],
    [{ name: "Open orders" }, "name", "camelCase"],
    [{ texts: {} }, "path", "File is needed."],
    [{ texts: { path: "a", timeout_s: "301" } }, "timeout_s", "300 is the highest"],
    [{ texts: { path: "a", every_s: "often" } }, "every_s", "give a number"],
    [{ values: [value({ name: "a b" })] }, "fields.0.name", "camelCase"],
    [{ kind: "prometheus", texts: { url: "http://a" } }, "fields", "at least one value"],
    [
      {
        kind: "prometheus",
        texts: { url: "http://a" },
        values: [value({ name: "a", metric: "b", labels: "c" })],
      },
      "fields.0.labels",
      "name=value",
    ],
  ] as const)("says what is wrong in %j", (changes, at, words) => {
    const problem = problemIn({ ...EMPTY, name: "orders", texts: { path: "a" }, ...changes });
    expect(problem?.at).toBe(at);
    expect(problem?.text).toContain(words);
  });

  test("is another one once something was written into it, whatever its kind", () => {
    const settings = { kind: "json_file", name: "orders", path: "orders.json", fields: [{ name: "open" }] };
    const first = draftOf({ name: "orders", kind: "json_file", settings });
    expect(isOther({ ...first, texts: { ...first.texts } }, first)).toBe(false);
    expect(isOther({ ...EMPTY, kind: "prometheus" }, EMPTY)).toBe(false);
    expect(isOther({ ...EMPTY, texts: { path: " " } }, EMPTY)).toBe(false);
    expect(isOther({ ...EMPTY, name: "o" }, EMPTY)).toBe(true);
    expect(isOther({ ...first, texts: { path: "other.json" } }, first)).toBe(true);
    expect(isOther({ ...first, values: [...first.values, NEW_VALUE] }, first)).toBe(true);
    expect(isOther({ ...first, values: [] }, first)).toBe(true);
  });

  test("does not ask for a secret that the server has", () => {
    const draft = { ...EMPTY, kind: "http_json", name: "a" } as const;
    expect(problemIn(draft)?.at).toBe("url");
    expect(problemIn(draft, ["url"])).toBeUndefined();
  });

  const json = {
    ...EMPTY,
    name: "orders",
    values: [value({ name: "open" }), value({ name: "late", select: "$.[" })],
  };
  test.each([
    ["Expected `int` >= 1 - at `$.max_bytes`", json, "max_bytes", "Expected int >= 1"],
    ["Expected `str` of length <= 32 - at `$.fields[1].unit`", json, "fields.1.unit", "length <= 32"],
    [
      "Expected `str` matching regex '^https?://' - at `$.url`",
      { ...json, kind: "http_json" },
      "url",
      "Begin with",
    ],
    ["path: must be in /data; name other files in the configuration", json, "path", "Must be in /data"],
    ["url: must be in /data", { ...json, kind: "sql" }, "url", "Must be in"],
    ["ca_file: must be in /data", { ...json, kind: "http_json" }, "ca_file", "Must be in"],
    [
      "fields[1].select: cannot be understood from character 2 on: .[",
      json,
      "fields.1.select",
      "Cannot be understood",
    ],
    ["fields: two have the same name", json, "fields", "Two have the same name."],
    ["late is a value of the source shop already", json, "fields.1.name", "of the source shop"],
    ["orders is a value of the source shop already", json, "name", "of the source shop"],
    ["there is a source orders already", json, "name", "already"],
    [
      "fields[1].name: late has a meaning of its own in snapshots",
      json,
      "fields.1.name",
      "meaning of its own",
    ],
    ["name: timestamp has a meaning of its own in snapshots", json, "name", "meaning of its own"],
  ] as const)("puts the refusal %j where it belongs", (message, draft, at, words) => {
    const problem = problemFrom(message, draft);
    expect(problem.at).toBe(at);
    expect(problem.text).toContain(words);
    expect(labelAt(draft.kind, at)).not.toBe("");
  });

  test("a refusal that names nothing in the form belongs nowhere in it", () => {
    expect(problemFrom("The server cannot be reached.", json).at).toBe("");
  });
});
