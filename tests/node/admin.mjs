// Dashboards for administrators, as a page would write them: one with SignalR that joins its groups again when it comes
// back, one with Socket.IO and one with the native client that follow the same channels. Commands come as lines of JSON
// on stdin; answers and events go as lines to stdout. An event's channel is the name that handlers know it by.

import { createInterface } from "node:readline";
import * as signalr from "@microsoft/signalr";
import { Centrifuge } from "centrifuge";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

const EVENTS = [
  "UserActivity",
  "AnalyticsUpdate",
  "PlatformUpdate",
  "UserCountUpdate",
  "GenerationMetrics",
  "RevenueUpdate",
  "Alert",
  "PerformanceAlert",
  "RoleAssignment",
  "SystemEvent",
];

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

class SignalRDashboard {
  #groups = new Set();
  #connection;

  constructor({ site, token, transport }, report) {
    const options = { accessTokenFactory: () => token };
    if (transport) options.transport = signalr.HttpTransportType[transport];
    this.#connection = new signalr.HubConnectionBuilder()
      .withUrl(`${site}/hubs/admin`, options)
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: () => 50 })
      .configureLogging(signalr.LogLevel.None)
      .build();
    for (const name of EVENTS) {
      this.#connection.on(name, (...args) => report({ kind: "event", channel: name, args }));
    }
    this.#connection.onreconnected(() => {
      this.#joinAll().then(
        () => report({ kind: "back", channel: "" }),
        () => {}, // lost again meanwhile: it will come back once more
      );
    });
  }

  start() {
    return this.#connection.start();
  }

  async #joinAll() {
    for (const group of this.#groups) await this.#connection.invoke(`SubscribeTo${group}`);
  }

  async join({ group }) {
    this.#groups.add(group);
    await this.#connection.invoke(`SubscribeTo${group}`);
  }

  async leave({ group }) {
    this.#groups.delete(group);
    await this.#connection.invoke(`UnsubscribeFrom${group}`);
  }

  async invoke({ target, args }) {
    return await this.#connection.invoke(target, ...args);
  }

  close() {
    return this.#connection.stop();
  }
}

class SocketIoDashboard {
  #socket;

  constructor({ site, token }, report) {
    this.#socket = io(`${site}/admin`, { auth: { token }, autoConnect: false, transports: ["websocket"] });
    this.#socket.onAny((name, ...args) => report({ kind: "event", channel: name, args }));
  }

  start() {
    return new Promise((resolve, reject) => {
      this.#socket.once("connect", resolve).once("connect_error", reject).connect();
    });
  }

  async join({ group }) {
    return await this.#socket.emitWithAck(`SubscribeTo${group}`);
  }

  close() {
    this.#socket.disconnect();
  }
}

class NativeDashboard {
  #client;
  #report;

  constructor({ site, token }, report) {
    this.#report = report;
    this.#client = new Centrifuge(`${site.replace("http", "ws")}/connection/websocket`, { token, websocket: WebSocket });
  }

  async start() {
    this.#client.connect();
    await this.#client.ready(10_000);
  }

  async follow({ channel }) {
    const subscription = this.#client.newSubscription(channel);
    subscription.on("publication", ({ data }) => {
      this.#report({ kind: "event", channel: data.type, args: [data.payload] });
    });
    subscription.subscribe();
    await subscription.ready(10_000);
  }

  async call({ method }) {
    return (await this.#client.rpc(method, null)).data;
  }

  close() {
    this.#client.disconnect();
  }
}

const kinds = { signalr: SignalRDashboard, socketio: SocketIoDashboard, native: NativeDashboard };
const dashboards = new Map();

async function run({ op, peer, ...args }) {
  if (op === "open") {
    dashboards.set(peer, new kinds[args.kind](args, (event) => say({ event: { peer, ...event } })));
    return null;
  }
  return (await dashboards.get(peer)[op](args)) ?? null;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...command } = JSON.parse(line);
  run(command).then(
    (result) => say({ number, result }),
    (error) => say({ number, error: { code: error.statusCode ?? -1, message: error.message ?? String(error) } }),
  );
}
process.exit(0);
