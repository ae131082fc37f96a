import { describe, expect, test } from "vitest";
import { watchSignals } from "../src/signals.js";
import { HeldClock } from "./clock.js";

describe("signs from outside", () => {
  test("of a machine that slept lead to one check", () => {
    const clock = new HeldClock();
    let checks = 0;
    const check = (): void => {
      checks += 1;
    };
    const stop = watchSignals(check, check, clock);
    clock.pass(60_000);
    expect(checks).toBe(0);
    clock.pass(60_000, true);
    clock.pass(10_000);
    expect(checks).toBe(1);
    stop();
    expect(clock.waiting).toBe(0);
  });
});
