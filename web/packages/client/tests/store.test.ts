import { describe, expect, test } from "vitest";
import { Polled, Ticker } from "../src/polled.js";
import { Listeners, Value } from "../src/store.js";
import { HeldClock } from "./clock.js";

describe("a store", () => {
  test("tells each listener once a change, and none that left", () => {
    const value = new Value(1);
    const heard: number[] = [];
    const stop = value.subscribe(() => heard.push(value.get()));
    value.set(2);
    value.set(2);
    stop();
    value.set(3);
    expect(heard).toEqual([2]);
  });

  test("says when the first listener came and the last one went", () => {
    const watched: boolean[] = [];
    const listeners = new Listeners((isWatched) => watched.push(isWatched));
    const [one, two] = [listeners.add(() => {}), listeners.add(() => {})];
    one();
    one();
    two();
    expect(watched).toEqual([true, false]);
  });

  test("that ages is renewed each second while somebody listens, and runs no timer otherwise", () => {
    const clock = new HeldClock();
    const store = new Polled(clock.now(), () => clock.now(), new Ticker(clock));
    let told = 0;
    const stop = store.subscribe(() => {
      told += 1;
    });
    clock.pass(3500);
    expect(told).toBe(3);
    stop();
    expect(clock.waiting).toBe(0);
    expect(store.get()).toBe(clock.now());
  });
});
