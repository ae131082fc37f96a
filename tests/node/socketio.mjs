// Clients of the npm package `socket.io-client`, steered by commands and seen through events, both plain JSON. The same
// code runs in Node.js (socketio_driver.mjs) and in a page. Nothing of the package is touched. Binary values travel as
// {"$binary": base64}.

const DEFAULTS = { forceNew: true, reconnectionDelay: 10, reconnectionDelayMax: 100, randomizationFactor: 0, timeout: 8000 };

const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;

function plain(value) {
  if (value instanceof ArrayBuffer) return { $binary: toBase64(value) };
  if (ArrayBuffer.isView(value)) return { $binary: toBase64(value) };
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}

function live(value) {
  if (Array.isArray(value)) return value.map(live);
  if (value && typeof value === "object") {
    if (typeof value.$binary === "string") return fromBase64(value.$binary);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, live(v)]));
  }
  return value;
}

export class Sockets {
  #io;
  #report;
  #open = new Map();

  constructor(io, report) {
    this.#io = io;
    this.#report = report;
  }

  // Carries out `{op, peer, ...}`.
  async run({ op, peer, ...args }) {
    if (op === "open") {
      const other = args.beside === undefined ? null : this.#open.get(args.beside);
      this.#open.set(peer, new Socket(this.#io, other, args, (event) => this.#report({ peer, channel: "", ...event })));
      return null;
    }
    const result = await this.#open.get(peer)[op](args);
    if (op === "close") this.#open.delete(peer);
    return result ?? null;
  }
}

class Socket {
  #socket;
  #closed = false;

  constructor(io, other, { url, namespace, options }, report) {
    const told = (event) => this.#closed || report(event);
    this.#socket = other
      ? other.manager.socket(namespace, options)
      : io(url + namespace, { ...DEFAULTS, autoConnect: false, ...options });
    const socket = this.#socket;
    socket.on("connect", () => {
      told({ kind: "connect", id: socket.id, recovered: Boolean(socket.recovered), transport: this.transport() });
      socket.io.engine.once("upgrade", (transport) => told({ kind: "upgrade", transport: transport.name }));
    });
    socket.on("connect_error", (error) => told({ kind: "connect_error", message: error.message, data: error.data ?? null }));
    socket.on("disconnect", (reason) => told({ kind: "disconnect", reason }));
    socket.onAny((name, ...values) => {
      const answer = typeof values.at(-1) === "function" ? values.pop() : null;
      told({ kind: "event", name, arguments: plain(values) });
      if (answer && name !== "ignored") answer(...values);
    });
  }

  get manager() {
    return this.#socket.io;
  }

  transport() {
    return this.#socket.io.engine?.transport.name ?? "";
  }

  start() {
    this.#socket.connect();
  }

  stop() {
    this.#socket.disconnect();
  }

  close() {
    this.#closed = true;
    this.#socket.disconnect();
  }

  auth({ auth }) {
    this.#socket.auth = auth;
  }

  // Lose the connection as if the network went, which the client tries to repair.
  cut() {
    this.#socket.io.engine.close();
  }

  emit({ event, args }) {
    this.#socket.emit(event, ...live(args));
  }

  async ask({ event, args }) {
    return plain(await new Promise((resolve) => this.#socket.emit(event, ...live(args), (...values) => resolve(values))));
  }

  // Many in one go, answered when the last one is.
  async flood({ event, from, to }) {
    for (let number = from; number < to - 1; number++) this.#socket.emit(event, number);
    return this.ask({ event, args: [to - 1] });
  }
}
