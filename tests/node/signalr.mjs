// SignalR peers in Node.js: commands come as lines of JSON on stdin, answers and events go as lines to stdout.

import { createInterface } from "node:readline";
import * as signalr from "@microsoft/signalr";
import { MessagePackHubProtocol } from "@microsoft/signalr-protocol-msgpack";
import { WebSocket } from "ws";
import { Peers } from "./signalr_peers.mjs";

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const peers = new Peers({ ...signalr, MessagePackHubProtocol, WebSocket }, (event) => say({ event }));

process.on("unhandledRejection", () => {}); // of promises that the library keeps to itself

for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...command } = JSON.parse(line);
  peers.run(command).then(
    (result) => say({ number, result }),
    (error) => say({ number, error: { code: error.statusCode ?? -1, message: error.message ?? String(error) } }),
  );
}
process.exit(0);
