import { expect, test } from "vitest";
import type { Action } from "../src/actions.js";
import { closeness, found } from "../src/shell/finding.js";

function action(title: string, more: Partial<Action> = {}): Action {
  return { id: title, title, group: "Go to", run: () => {}, ...more };
}

const CENTRE = action("Command centre");
const CONNECTIONS = action("Connections");
const CONTRAST = action("Theme: contrast", { group: "Looks" });
const DOCS = action("HTTP API", { words: "documentation openapi" });
const ALL = [CENTRE, CONNECTIONS, CONTRAST, DOCS];

test("letters must all be there, in their order", () => {
  expect(closeness("cc", "Command centre")).not.toBeNull();
  expect(closeness("ecc", "Command")).toBeNull();
});

test("the first letters of words find them before letters anywhere", () => {
  expect(found("cc", ALL, [])[0]).toBe(CENTRE);
});

test("letters in a row are closer than letters apart", () => {
  expect(found("con", ALL, [])[0]).toBe(CONNECTIONS);
});

test("an action is found by other words for it", () => {
  expect(found("openapi", ALL, [])).toEqual([DOCS]);
});

test("the title counts more than other words", () => {
  const other = action("Sign out", { words: "connections" });
  expect(found("connections", [other, CONNECTIONS], [])[0]).toBe(CONNECTIONS);
});

test("without a query what was done last comes first, and each is there once", () => {
  expect(found(" ", ALL, ["HTTP API", "gone"])).toEqual([DOCS, CENTRE, CONNECTIONS, CONTRAST]);
});

test("what is minor stands behind the others until somebody looks for it", () => {
  const paces = ["1 second", "5 seconds"].map((pace) => action(`A pulse every ${pace}`, { isMinor: true }));
  expect(found("", [...paces, ...ALL], [])).toEqual([...ALL, ...paces]);
  expect(found("5 sec", [...paces, ...ALL], [])[0]).toBe(paces[1]);
});

test("capitals and spaces in the query do not matter", () => {
  expect(found("COMMAND C", ALL, [])[0]).toBe(CENTRE);
});

test("what nothing is called finds nothing", () => {
  expect(found("zzz", ALL, ["HTTP API"])).toEqual([]);
});
