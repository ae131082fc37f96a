import { expect, test } from "vitest";
import { DEFAULTS, settingsFrom } from "../src/settings.js";

test("without anything kept the theme is dark", () => {
  expect(settingsFrom(null)).toEqual(DEFAULTS);
  expect(DEFAULTS.theme).toBe("dark");
});

test("what is kept is taken", () => {
  const kept = { theme: "light", density: "compact", singleKeys: false };
  expect(settingsFrom(JSON.stringify(kept))).toEqual(kept);
});

test.each(["{", "null", "7", '"dark"', "[]"])("storage that holds %s gives the defaults", (text) => {
  expect(settingsFrom(text)).toEqual(DEFAULTS);
});

test("one bad value does not spoil the others", () => {
  const kept = { theme: "purple", density: "compact", singleKeys: "yes", other: 1 };
  expect(settingsFrom(JSON.stringify(kept))).toEqual({ ...DEFAULTS, density: "compact" });
});
