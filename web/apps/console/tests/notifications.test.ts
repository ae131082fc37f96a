import type { Toast } from "@vagus/react";
import { expect, test } from "vitest";
import { type Notification, withToasts } from "../src/notifications.js";

function toast(id: number, title: string, count = 1): Toast {
  const rest = { message: "", severity: "info", duration: 6_000, action: undefined, key: title } as const;
  return { id, title, count, ...rest };
}

const NONE: readonly Notification[] = [];

test("a toast is kept after it is gone, unread and with its time", () => {
  const list = withToasts(withToasts(NONE, [toast(1, "Saved")], 1_000), [], 2_000);
  expect(list).toEqual([
    { id: 1, title: "Saved", message: "", severity: "info", count: 1, at: 1_000, isRead: false },
  ]);
});

test("the newest comes first", () => {
  const list = withToasts(NONE, [toast(1, "one"), toast(2, "two")], 1_000);
  expect(list.map(({ title }) => title)).toEqual(["two", "one"]);
});

test("a toast that only stays up changes nothing", () => {
  const list = withToasts(NONE, [toast(1, "one")], 1_000);
  expect(withToasts(list, [toast(1, "one")], 2_000)).toBe(list);
});

test("a toast that comes again is unread again, and still one entry", () => {
  const read = withToasts(NONE, [toast(1, "one")], 1_000).map((one) => ({ ...one, isRead: true }));
  const again = withToasts(read, [toast(1, "one", 2)], 2_000);
  expect(again).toHaveLength(1);
  expect(again[0]).toMatchObject({ count: 2, at: 2_000, isRead: false });
});

test("the list is bounded, and loses the oldest", () => {
  let list = NONE;
  for (let id = 1; id <= 250; id++) list = withToasts(list, [toast(id, `toast ${id}`)], id);
  expect(list).toHaveLength(200);
  expect(list.at(-1)?.title).toBe("toast 51");
});
