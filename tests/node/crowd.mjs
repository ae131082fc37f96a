// A client of each library in one channel. `node crowd.mjs SITE CHANNEL`: commands come as lines of JSON on stdin,
// `{who, data}` to publish as one of them, `{presence: who}` to ask who is there; what each client hears goes to stdout.

import { createInterface } from "node:readline";
import { HttpTransportType, HubConnectionBuilder, LogLevel } from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { Centrifuge } from "centrifuge";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import { WebSocket } from "ws";

const [site, channel] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const hear = (who) => (data) => say({ who, data });

async function centrifuge(who, transports) {
  const client = new Centrifuge(transports, { websocket: WebSocket, emulationEndpoint: `${site}/emulation` });
  const subscription = client.newSubscription(channel);
  subscription.on("publication", ({ data }) => hear(who)(data));
  subscription.subscribe();
  client.connect();
  await subscription.ready();
  return {
    publish: (data) => subscription.publish(data),
    presence: async () => Object.keys((await subscription.presence()).clients),
  };
}

async function socketIo(who, transports) {
  const socket = io(site, { transports });
  socket.on("publication", ({ data }) => hear(who)(data));
  const ask = async (...event) => {
    const answer = await socket.emitWithAck(...event);
    if (answer?.error) throw new Error(answer.error.message);
    return answer;
  };
  await ask("subscribe", channel);
  return {
    publish: (data) => ask("publish", channel, data),
    presence: async () => Object.keys((await ask("presence", channel)).presence),
  };
}

async function signalR(who, transport, binary = false) {
  let builder = new HubConnectionBuilder().withUrl(`${site}/hubs/vagus`, { transport });
  if (binary) builder = builder.withHubProtocol(new MessagePackHubProtocol());
  const connection = builder.configureLogging(LogLevel.None).build();
  connection.on("publication", ({ data }) => hear(who)(data));
  await connection.start();
  await connection.invoke("Subscribe", channel);
  return {
    publish: (data) => connection.invoke("Publish", channel, data),
    presence: async () => Object.keys((await connection.invoke("Presence", channel)).presence),
  };
}

async function eventSource(who) {
  const events = new EventSource(`${site}/events?channel=${encodeURIComponent(channel)}`);
  events.onmessage = ({ data }) => hear(who)(JSON.parse(data));
  await new Promise((opened) => (events.onopen = opened));
  return {};
}

const wss = site.replace("http", "ws");
const crowd = {
  "centrifuge": await centrifuge("centrifuge", `${wss}/connection/websocket`),
  "centrifuge http_stream": await centrifuge("centrifuge http_stream", [
    { transport: "http_stream", endpoint: `${site}/connection/http_stream` },
  ]),
  "socket.io": await socketIo("socket.io", ["websocket"]),
  "socket.io polling": await socketIo("socket.io polling", ["polling"]),
  "signalr": await signalR("signalr", HttpTransportType.WebSockets),
  "signalr messagepack": await signalR("signalr messagepack", HttpTransportType.WebSockets, true),
  "signalr sse": await signalR("signalr sse", HttpTransportType.ServerSentEvents),
  "signalr polling": await signalR("signalr polling", HttpTransportType.LongPolling),
  "eventsource": await eventSource("eventsource"),
};
say({ ready: Object.keys(crowd) });

for await (const line of createInterface({ input: process.stdin })) {
  const { who, data, presence } = JSON.parse(line);
  const work = presence ? crowd[presence].presence() : crowd[who].publish(data);
  work.then(
    (result) => say({ done: data ?? null, result: result ?? null }),
    (error) => say({ error: String(error) }),
  );
}
process.exit(0);
