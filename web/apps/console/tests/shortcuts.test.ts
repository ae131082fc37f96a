import { expect, test } from "vitest";
import { labelsOf, nameOf } from "../src/shortcuts.js";

function pressed(key: string, held: Partial<Record<"ctrlKey" | "metaKey" | "altKey", boolean>> = {}) {
  return nameOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...held });
}

test("Ctrl and Cmd are the same key of a shortcut", () => {
  expect(pressed("k", { ctrlKey: true })).toBe("mod+k");
  expect(pressed("K", { metaKey: true })).toBe("mod+k");
});

test("space has a name, and shift is in the key itself", () => {
  expect(pressed(" ")).toBe("space");
  expect(pressed("?")).toBe("?");
});

test("Alt makes another shortcut", () => {
  expect(pressed("n", { altKey: true })).toBe("alt+n");
});

test("a sequence is shown key after key", () => {
  expect(labelsOf("g c")).toEqual(["G", "C"]);
  expect(labelsOf("space")).toEqual(["Space"]);
});
