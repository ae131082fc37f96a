/** From what `createClient` is given to what a connection needs: defaults filled in, mistakes refused. */

import type { ConnectionOptions, Endpoint } from "./connection.js";
import { retrySettings } from "./retry.js";
import type { ClientOptions, Position } from "./types.js";

const PATHS = {
  websocket: "/connection/websocket",
  http_stream: "/connection/http_stream",
  sse: "/connection/sse",
} as const;

export const DEFAULT_TIMEOUT = 10_000;

export function connectionOptions(options: ClientOptions, reconnects: boolean): ConnectionOptions {
  const { token = "", data = null, name = "js", timeout = DEFAULT_TIMEOUT } = options;
  if (!(timeout > 0)) throw new RangeError("timeout is more than 0");
  return {
    ...places(options),
    token,
    fetchesToken: options.getToken !== undefined,
    data,
    name,
    retry: retrySettings(options.retry),
    reconnects,
    timeout,
  };
}

/** Where to begin, in a channel that has offsets. The server closes the connection for what is none. */
export function checkPosition(since: Position | null): void {
  if (since !== null && !(Number.isInteger(since.offset) && since.offset >= 0))
    throw new RangeError("since.offset is a whole number from 0 on");
}

function places({ url, transports = ["websocket", "http_stream", "sse"] }: ClientOptions): {
  endpoints: Endpoint[];
  emulation: string;
} {
  const server = new URL(url ?? pageAddress());
  const isWebSocket = /^wss?:$/.test(server.protocol);
  if (!isWebSocket && !/^https?:$/.test(server.protocol)) {
    throw new TypeError(`url is an address that begins with https: or wss:, not ${server.protocol}`);
  }
  if (isWebSocket && server.pathname !== "/") {
    return { endpoints: [{ transport: "websocket", endpoint: server.href }], emulation: "" };
  }
  const scheme = server.protocol.replace(/^ws/, "http");
  const base = `${scheme}//${server.host}${server.pathname.replace(/\/+$/, "")}`;
  const endpoints = transports.map((transport) => ({
    transport,
    endpoint: (transport === "websocket" ? base.replace(/^http/, "ws") : base) + PATHS[transport],
  }));
  return { endpoints, emulation: `${base}/emulation` };
}

function pageAddress(): string {
  const origin = globalThis.location?.origin;
  if (origin === undefined || origin === "null")
    throw new TypeError("url is needed: there is no page to take it from");
  return origin;
}
