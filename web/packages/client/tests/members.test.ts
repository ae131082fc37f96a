import { describe, expect, test } from "vitest";
import { Roster } from "../src/members.js";
import type { Member } from "../src/types.js";

describe("a list of members", () => {
  const member = (client: string): Member => ({
    client,
    user: client,
    connInfo: undefined,
    chanInfo: undefined,
  });
  const names = (roster: Roster): string[] => roster.list.map(({ client }) => client).sort();

  test("counts those who come and go while it is being read", () => {
    const roster = new Roster();
    roster.begin();
    roster.note(member("late"), true);
    roster.note(member("gone"), false);
    roster.load([member("gone"), member("here")]);
    expect(names(roster)).toEqual(["here", "late"]);
  });

  test("stays the same array while nobody comes or goes", () => {
    const roster = new Roster();
    roster.begin();
    roster.load([member("a")]);
    const before = roster.list;
    expect(roster.note(member("stranger"), false)).toBe(false);
    expect(roster.list).toBe(before);
    expect(roster.note(member("b"), true)).toBe(true);
    expect(names(roster)).toEqual(["a", "b"]);
  });

  test("makes do with what it hears if it may not be read", () => {
    const roster = new Roster();
    roster.begin();
    roster.note(member("a"), true);
    roster.load(null);
    expect(names(roster)).toEqual(["a"]);
  });
});
