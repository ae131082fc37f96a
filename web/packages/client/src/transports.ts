/**
 * Ways to the server: each carries lines of text both ways, and says once when it is over.
 *
 * A WebSocket carries both ways itself. A streamed response and server-sent events only read; what is sent beside them
 * goes by POST, one after the other, to the session that the server named in its answer to `connect`.
 */

import type { Endpoint } from "./connection.js";

export interface Carrier {
  /** `session` and `node` are what the answer to `connect` said. */
  send(text: string, session: string, node: string): void;
  close(): void;
}

export interface CarrierHandlers {
  /** Lines came. */
  text(text: string): void;
  /** It is over; the code is the server's, or 0. */
  closed(code: number, reason: string): void;
}

/** Everything that carries: `first` is what is sent to begin with. */
export function carry(
  { transport, endpoint }: Endpoint,
  emulation: string,
  webSocket: unknown,
  first: string,
  handlers: CarrierHandlers,
): Carrier {
  if (transport === "websocket")
    return overWebSocket(endpoint, webSocket as typeof WebSocket, first, handlers);
  const close =
    transport === "sse" ? overEvents(endpoint, first, handlers) : overStream(endpoint, first, handlers);
  return { send: poster(emulation, () => handlers.closed(0, "")), close };
}

export function isSupported(transport: Endpoint["transport"], webSocket: unknown): boolean {
  if (transport === "websocket") return webSocket !== undefined;
  return typeof (transport === "sse" ? globalThis.EventSource : globalThis.TextDecoderStream) === "function";
}

function overWebSocket(
  endpoint: string,
  webSocket: typeof WebSocket,
  first: string,
  handlers: CarrierHandlers,
): Carrier {
  const socket = new webSocket(endpoint);
  socket.onopen = () => socket.send(first);
  socket.onmessage = ({ data }) => handlers.text(String(data));
  socket.onclose = ({ code, reason }) => handlers.closed(code, reason);
  return {
    send: (text) => {
      if (socket.readyState === socket.OPEN) socket.send(text);
    },
    close: () => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    },
  };
}

function overStream(endpoint: string, first: string, handlers: CarrierHandlers): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const read = async (): Promise<void> => {
    const response = await fetch(endpoint, { ...POST, headers: JSON_TYPE, body: first, signal });
    if (!response.ok || response.body === null) throw new Error(`the answer is ${response.status}`);
    let rest = "";
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const end = value.lastIndexOf("\n") + 1;
      if (end > 0 && !signal.aborted) handlers.text(rest + value.slice(0, end));
      rest = end > 0 ? value.slice(end) : rest + value;
    }
  };
  const over = (): void => {
    if (!signal.aborted) handlers.closed(0, "");
  };
  read().then(over, over);
  return () => controller.abort();
}

function overEvents(endpoint: string, first: string, handlers: CarrierHandlers): () => void {
  const address = new URL(endpoint);
  address.searchParams.set("cf_connect", first);
  const source = new EventSource(address);
  source.onmessage = ({ data }) => handlers.text(String(data));
  source.onerror = () => {
    source.close(); // it would come back by itself, with a session that is over
    handlers.closed(0, "");
  };
  return () => {
    source.onmessage = source.onerror = null;
    source.close();
  };
}

/** Sends one after the other. A command that is lost is a session that is broken. */
function poster(emulation: string, lost: () => void): Carrier["send"] {
  let last = Promise.resolve();
  const post = async (body: string): Promise<void> => {
    const { ok } = await fetch(emulation, { ...POST, headers: JSON_TYPE, body }).catch(() =>
      Response.error(),
    );
    if (!ok) lost();
  };
  return (text, session, node) => {
    const body = JSON.stringify({ session, node, data: text });
    last = last.then(() => post(body));
  };
}

const POST = { method: "POST", mode: "cors", credentials: "same-origin" } as const;
const JSON_TYPE = { "Content-Type": "application/json", Accept: "application/json" };
