import { describe, expect, test } from "vitest";
import { channelReason, connectionReason } from "../src/reasons.js";

describe("reasons", () => {
  test("say what to do, or what the server said, or the bare number", () => {
    expect(connectionReason(3500)).toContain("Sign in again");
    expect(connectionReason(4321, "maintenance until noon.")).toBe(
      "The server says: maintenance until noon.",
    );
    expect(connectionReason(4321)).toContain("4321");
    expect(connectionReason(3, "fetch failed")).toBe("No token could be fetched: fetch failed.");
    expect(channelReason(103)).toBe("You may not follow this channel.");
  });
});
