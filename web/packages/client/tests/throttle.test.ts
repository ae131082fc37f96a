import { describe, expect, test } from "vitest";
import { Throttle } from "../src/throttle.js";
import { HeldClock } from "./clock.js";

describe("a throttle", () => {
  function throttled(interval: () => number): { clock: HeldClock; throttle: Throttle; told: number[] } {
    const clock = new HeldClock();
    const told: number[] = [];
    const began = clock.now();
    return { clock, told, throttle: new Throttle(interval, () => told.push(clock.now() - began), clock) };
  }

  test("tells at once after a pause, and then at the end of each interval", () => {
    const { clock, throttle, told } = throttled(() => 1000);
    throttle.note();
    for (let step = 0; step < 25; step += 1) {
      clock.pass(100);
      throttle.note();
    }
    expect(told).toEqual([0, 1000, 2000]);
  });

  test("tells of the last message of a burst", () => {
    const { clock, throttle, told } = throttled(() => 1000);
    throttle.note();
    throttle.note();
    clock.pass(5000);
    expect(told).toEqual([0, 1000]);
  });

  test("with an interval of 0 tells each time", () => {
    const { throttle, told } = throttled(() => 0);
    throttle.note();
    throttle.note();
    expect(told).toEqual([0, 0]);
  });

  test("keeps no timer once it was stopped", () => {
    const { clock, throttle, told } = throttled(() => 1000);
    throttle.note();
    throttle.note();
    throttle.stop();
    clock.pass(5000);
    expect(told).toEqual([0]);
    expect(clock.waiting).toBe(0);
  });

  test("looks at its interval anew each time", () => {
    let interval = 1000;
    const { clock, throttle, told } = throttled(() => interval);
    throttle.note();
    interval = 3000;
    throttle.note();
    clock.pass(2999);
    expect(told).toEqual([0]);
    clock.pass(1);
    expect(told).toEqual([0, 3000]);
  });
});
