import { describe, expect, test } from "vitest";
import { retryDelay, retrySettings } from "../src/retry.js";

describe("retries", () => {
  test("begin within two seconds by default, double, and end at half a minute", () => {
    const settings = retrySettings();
    const bounds = [0, 1, 2, 3, 4, 5, 20].map((number) => [
      retryDelay(number, settings, () => 0),
      retryDelay(number, settings, () => 1),
    ]);
    expect(bounds).toEqual([
      [1000, 2000],
      [2000, 4000],
      [4000, 8000],
      [8000, 16_000],
      [15_000, 30_000],
      [15_000, 30_000],
      [15_000, 30_000],
    ]);
  });

  test.each([
    { tries: -1 },
    { factor: 0.5 },
    { minDelay: 0 },
    { minDelay: 10, maxDelay: 5 },
    { tries: Number.NaN },
  ])("refuse %j", (options) => {
    expect(() => retrySettings(options)).toThrow(RangeError);
  });
});
