// Clients of the npm package `centrifuge`, steered by commands and seen through events, both plain JSON. The same code
// runs in Node.js (driver.mjs) and in a page, so that a test reads the same for both. Nothing of the package is touched.

const OPTIONS = {
  token: "token", data: "data", name: "name", version: "version", headers: "headers",
  positioned: "positioned", recoverable: "recoverable", join_leave: "joinLeave", delta: "delta",
  tags_filter: "tagsFilter", since: "since",
};
const TIMEOUT_MS = 90_000; // longer than any test waits, which is then what fails
const CLIENT_EVENTS = [
  "connecting", "connected", "disconnected", "error", "message",
  "subscribed", "subscribing", "unsubscribed", "publication", "join", "leave",
];
const SUBSCRIPTION_EVENTS = ["subscribing", "subscribed", "unsubscribed", "publication", "join", "leave", "error"];

export class Peers {
  #builds;
  #report;
  #open = new Map();

  // `builds`: the class Centrifuge by encoding; `report(event)` is called for whatever a client tells.
  constructor(builds, report) {
    this.#builds = builds;
    this.#report = report;
  }

  // Carries out `{op, peer, ...}`. What the server refuses is thrown as it comes: `{code, message}`.
  async run({ op, peer, ...args }) {
    if (op === "open") {
      this.#open.set(peer, new Peer(this.#builds, args, (event) => this.#report({ peer, ...event })));
      return null;
    }
    const result = await this.#open.get(peer)[op](args);
    if (op === "close") this.#open.delete(peer);
    return result ?? null;
  }
}

class Peer {
  #codec;
  #client;
  #report;
  #closed = false;

  constructor(builds, { url, encoding, options, websocket }, report) {
    this.#codec = encoding === "protobuf" ? BINARY : PLAIN;
    this.#report = (event) => this.#closed || report(event);
    const Centrifuge = builds[encoding];
    this.#client = new Centrifuge(url, {
      minReconnectDelay: 10,
      maxReconnectDelay: 100,
      timeout: TIMEOUT_MS,
      ...this.#chosen(options, Centrifuge),
      ...(websocket ? { websocket: websocket(this.#report) } : {}),
    });
    this.#listen(this.#client, CLIENT_EVENTS, "");
  }

  #chosen(options, Centrifuge, channel = "") {
    const chosen = {};
    for (const [name, value] of Object.entries(options)) {
      if (name in OPTIONS) chosen[OPTIONS[name]] = name === "data" ? this.#codec.encode(value) : value;
    }
    if (options.tokens) {
      const tokens = [...options.tokens];
      chosen.getToken = async () => {
        this.#report({ kind: "token_asked", channel: "" });
        if (tokens.length === 0) throw new Centrifuge.UnauthorizedError("no more tokens");
        return tokens.shift();
      };
    }
    if (options.states) {
      const states = [...options.states];
      chosen.getState = async () => {
        this.#report({ kind: "state_asked", channel });
        return states.shift();
      };
    }
    chosen.minResubscribeDelay = 10;
    chosen.maxResubscribeDelay = 100;
    return chosen;
  }

  #listen(source, kinds, channel) {
    for (const kind of kinds) {
      source.on(kind, (context) => this.#report({ kind, ...this.#plain(context), channel: context.channel ?? channel }));
    }
  }

  #plain(context) {
    const plain = {};
    for (const name of ["client", "code", "reason", "recoverable", "positioned", "recovered", "offset", "tags"]) {
      if (context[name] !== undefined) plain[name] = context[name];
    }
    if (context.data !== undefined && context.data !== null) plain.data = this.#codec.decode(context.data);
    if (context.info) plain.info = this.#info(context.info);
    if (context.wasRecovering !== undefined) plain.was_recovering = context.wasRecovering;
    if (context.streamPosition) plain.position = context.streamPosition;
    if (context.error) Object.assign(plain, { code: context.error.code, message: context.error.message });
    return plain;
  }

  #info({ user, client, connInfo, chanInfo }) {
    const decode = (value) => (value === undefined || value === null || value.length === 0 ? null : this.#codec.decode(value));
    return { user, client, conn_info: decode(connInfo), chan_info: decode(chanInfo) };
  }

  start() {
    this.#client.connect();
  }

  stop() {
    this.#client.disconnect();
  }

  close() {
    this.#closed = true;
    this.#client.disconnect();
  }

  begin({ channel, options }) {
    const known = this.#client.getSubscription(channel);
    const subscription = known ?? this.#client.newSubscription(channel, this.#chosen(options, this.#client.constructor, channel));
    if (!known) this.#listen(subscription, SUBSCRIPTION_EVENTS, channel);
    subscription.subscribe();
  }

  unsubscribe({ channel }) {
    this.#client.getSubscription(channel).unsubscribe();
  }

  async publish({ channel, data }) {
    await this.#client.publish(channel, this.#codec.encode(data));
  }

  async rpc({ method, data }) {
    const result = await this.#client.rpc(method, this.#codec.encode(data));
    return result.data === undefined || result.data?.length === 0 ? null : this.#codec.decode(result.data);
  }

  async send({ data }) {
    await this.#client.send(this.#codec.encode(data));
  }

  async presence({ channel }) {
    const { clients } = await this.#client.presence(channel);
    return Object.fromEntries(Object.entries(clients).map(([id, info]) => [id, this.#info(info)]));
  }

  async presence_stats({ channel }) {
    const { numClients, numUsers } = await this.#client.presenceStats(channel);
    return [numClients, numUsers];
  }

  async history({ channel, options }) {
    const page = await this.#client.history(channel, options);
    return { ...page, publications: page.publications.map((publication) => this.#plain(publication)) };
  }

  // Several calls written in one go: the package sends them in one frame.
  async batch({ commands }) {
    this.#client.startBatching();
    const answers = commands.map(({ op, ...args }) => this[op](args));
    await new Promise((resolve) => setTimeout(resolve, 0)); // the calls reach the batch in microtasks of their own
    this.#client.stopBatching();
    return Promise.all(answers);
  }

  patches({ channel }) {
    return this.#client.getSubscription(channel).deltaStats().numDeltaPayloads;
  }
}

const PLAIN = { encode: (value) => value, decode: (value) => value };
const BINARY = {
  encode: (value) => new TextEncoder().encode(JSON.stringify(value)),
  decode: (bytes) => (bytes.length ? JSON.parse(new TextDecoder().decode(bytes)) : null),
};
