// Clients of the npm package `@microsoft/signalr`, steered by commands and seen through events, both plain JSON. The same
// code runs in Node.js (signalr.mjs) and in a page. Nothing of the package is touched. Bytes are {"$bytes": "<base64>"}.

const PROTOCOLS = { json: "JsonHubProtocol", messagepack: "MessagePackHubProtocol" };
const TRANSPORTS = { websockets: 1, sse: 2, polling: 4 };

export class Peers {
  #library;
  #report;
  #open = new Map();

  // `library`: the package's exports and those of its MessagePack protocol; `report(event)` is called for what is seen.
  constructor(library, report) {
    this.#library = library;
    this.#report = report;
  }

  async run({ op, peer, ...args }) {
    if (op === "open") {
      this.#open.set(peer, new Peer(this.#library, args, (event) => this.#report({ peer, channel: "", ...event })));
      return null;
    }
    const result = await this.#open.get(peer)[op](args);
    if (op === "close") this.#open.delete(peer);
    return packed(result ?? null);
  }
}

class Peer {
  #connection;
  #library;
  #report;
  #closed = false;
  #streams = new Map();
  #feeds = new Map();
  #sockets = [];

  constructor(library, { url, protocol, transport, options }, report) {
    this.#library = library;
    this.#report = (event) => this.#closed || report(packed(event));
    const builder = new library.HubConnectionBuilder()
      .withUrl(url, this.#http(transport, options))
      .configureLogging(library.LogLevel.None)
      .withHubProtocol(new library[PROTOCOLS[protocol]]());
    if (options.delays) builder.withAutomaticReconnect(options.delays);
    if (options.stateful) builder.withStatefulReconnect(options.buffer ? { bufferSize: options.buffer } : undefined);
    if (options.server_timeout_ms) builder.withServerTimeout(options.server_timeout_ms);
    if (options.keep_alive_ms) builder.withKeepAliveInterval(options.keep_alive_ms);
    this.#connection = builder.build();
    this.#connection.onclose((error) => this.#report({ kind: "closed", error: text(error) }));
    this.#connection.onreconnecting((error) => this.#report({ kind: "reconnecting", error: text(error) }));
    this.#connection.onreconnected((id) => this.#report({ kind: "reconnected", id }));
  }

  #http(transport, options) {
    const http = {};
    if (transport) http.transport = TRANSPORTS[transport];
    if (options.skip) http.skipNegotiation = true;
    if (options.tokens) {
      const tokens = [...options.tokens];
      http.accessTokenFactory = () => (tokens.length > 1 ? tokens.shift() : tokens[0]);
    }
    const [sockets, Socket] = [this.#sockets, this.#library.WebSocket];
    if (Socket) {
      http.WebSocket = class extends Socket {
        constructor(...args) {
          super(...args);
          sockets.push(this);
        }
      };
    }
    return http;
  }

  async start() {
    await this.#connection.start();
    return this.#connection.connectionId;
  }

  async stop() {
    await this.#connection.stop();
  }

  async close() {
    this.#closed = true;
    await this.#connection.stop();
  }

  state() {
    return this.#connection.state;
  }

  // Ends the sockets that are open without a word, as a cut cable does.
  cut() {
    for (const socket of this.#sockets.splice(0)) socket.terminate();
  }

  on({ targets }) {
    for (const target of targets) {
      this.#connection.on(target, (...args) => this.#report({ kind: "called", target, args }));
    }
  }

  // Answers the server's questions of this name with its first argument, or with an error.
  answer({ target, error }) {
    this.#connection.on(target, (value) => {
      if (error) throw new Error(error);
      return value;
    });
  }

  async invoke({ target, args }) {
    return await this.#connection.invoke(target, ...args.map(unpacked));
  }

  // Calls with 0, 1, 2 and so on, none of which waits for the one before.
  async burst({ target, size }) {
    return await Promise.all(Array.from({ length: size }, (_, each) => this.#connection.invoke(target, each)));
  }

  async send({ target, args }) {
    await this.#connection.send(target, ...args.map(unpacked));
  }

  stream({ target, args, name, feeds }) {
    const subjects = (feeds ?? []).map((feed) => this.#feed(feed));
    const subscription = this.#connection.stream(target, ...args.map(unpacked), ...subjects).subscribe({
      next: (item) => this.#report({ kind: "item", name, item }),
      complete: () => this.#report({ kind: "completed", name }),
      error: (error) => this.#report({ kind: "failed", name, error: text(error) }),
    });
    this.#streams.set(name, subscription);
  }

  dispose({ name }) {
    this.#streams.get(name).dispose();
  }

  // The stream and its cancellation in one go.
  glimpse(args) {
    this.stream(args);
    this.dispose(args);
  }

  #feed(name) {
    const subject = new this.#library.Subject();
    this.#feeds.set(name, subject);
    return subject;
  }

  // Begins a call with streams that `feed` then fills; its result is an event.
  upload({ target, args, feeds, name }) {
    const subjects = feeds.map((feed) => this.#feed(feed));
    this.#connection.invoke(target, ...args.map(unpacked), ...subjects).then(
      (result) => this.#report({ kind: "result", name, result: result ?? null }),
      (error) => this.#report({ kind: "failed", name, error: text(error) }),
    );
  }

  feed({ name, items, error, last }) {
    const subject = this.#feeds.get(name);
    for (const item of items ?? []) subject.next(unpacked(item));
    if (error) subject.error(new Error(error));
    else if (last) subject.complete();
  }
}

const text = (error) => (error ? (error.message ?? String(error)) : null);

const packed = (value) => {
  if (value instanceof Uint8Array || value instanceof ArrayBuffer) {
    return { $bytes: btoa(String.fromCharCode(...new Uint8Array(value))) };
  }
  if (value instanceof Date) return { $date: value.toISOString() };
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (Array.isArray(value)) return value.map(packed);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, packed(each)]));
  }
  return value;
};

const unpacked = (value) => {
  if (Array.isArray(value)) return value.map(unpacked);
  if (value && typeof value === "object") {
    if ("$bytes" in value) return Uint8Array.from(atob(value.$bytes), (c) => c.charCodeAt(0));
    if ("$date" in value) return new Date(value.$date);
    if ("$number" in value) return Number(value.$number);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unpacked(each)]));
  }
  return value;
};
