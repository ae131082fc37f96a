import { describe, expect, test } from "vitest";
import { KeptPreferences } from "../src/preferences.js";

describe("preferences", () => {
  const storage = (
    text: string | null,
  ): { text: string | null } & Pick<Storage, "getItem" | "setItem" | "removeItem"> => ({
    text,
    getItem() {
      return this.text;
    },
    setItem(_, value) {
      this.text = value;
    },
    removeItem() {
      this.text = null;
    },
  });

  test("are kept", () => {
    const place = storage(null);
    new KeptPreferences(place).set({ refreshEvery: 5000 });
    expect(new KeptPreferences(place).get()).toMatchObject({ refreshEvery: 5000, autoReconnect: true });
  });

  test.each(["{", "[]", "7", '{"refreshEvery": "often"}', '{"animation": 1}', '{"refreshEvery": -1}'])(
    "are the defaults where %s was kept",
    (text) => {
      expect(new KeptPreferences(storage(text)).get()).toEqual(new KeptPreferences(null).get());
    },
  );

  test("hold without a storage, and with one that refuses", () => {
    const refusing = storage(null);
    refusing.setItem = () => {
      throw new Error("full");
    };
    for (const place of [null, refusing]) {
      const preferences = new KeptPreferences(place);
      preferences.set({ animation: false });
      expect(preferences.get().animation).toBe(false);
      preferences.reset();
      expect(preferences.get().animation).toBe(true);
    }
  });

  test("refuse what makes no sense", () => {
    expect(() => new KeptPreferences(null).set({ refreshEvery: Number.NaN })).toThrow(RangeError);
  });
});
