import { describe, expect, test } from "vitest";
import { connectionOptions } from "../src/options.js";

describe("options", () => {
  test("make three endpoints of a server's address, one below a path too", () => {
    const { endpoints, emulation } = connectionOptions({ url: "https://live.example.com/hub/" }, true);
    expect(endpoints.map(({ endpoint }) => endpoint)).toEqual([
      "wss://live.example.com/hub/connection/websocket",
      "https://live.example.com/hub/connection/http_stream",
      "https://live.example.com/hub/connection/sse",
    ]);
    expect(emulation).toBe("https://live.example.com/hub/emulation");
  });

  test("take a WebSocket address with a path as it is", () => {
    const { endpoints } = connectionOptions({ url: "ws://127.0.0.1:1/anything?x=1" }, true);
    expect(endpoints).toEqual([{ transport: "websocket", endpoint: "ws://127.0.0.1:1/anything?x=1" }]);
  });

  test.each(["ftp://example.com", "not an address"])("refuse the address %s", (url) => {
    expect(() => connectionOptions({ url }, true)).toThrow(TypeError);
  });

  test("need an address where there is no page", () => {
    expect(() => connectionOptions({}, true)).toThrow("url is needed");
  });
});
