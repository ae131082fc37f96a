// The peers of driver.mjs with the package's own fallbacks: WebSocket, then http_stream, then sse. A WebSocket that is
// not answered with a handshake is what a blocking proxy gives.

import { createInterface } from "node:readline";
import { Centrifuge } from "centrifuge";
import { Centrifuge as ProtobufCentrifuge } from "centrifuge/build/protobuf";
import { EventSource } from "eventsource";
import { WebSocket } from "ws";
import { Peers } from "./peers.mjs";

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const falling = (Plain) =>
  class extends Plain {
    constructor(site, options) {
      const endpoints = [
        { transport: "websocket", endpoint: `${site.replace("http", "ws")}/connection/websocket` },
        { transport: "http_stream", endpoint: `${site}/connection/http_stream` },
        { transport: "sse", endpoint: `${site}/connection/sse` },
      ];
      super(endpoints, {
        ...options,
        websocket: WebSocket,
        eventsource: EventSource,
        emulationEndpoint: `${site}/emulation`,
      });
    }
  };

const builds = { json: falling(Centrifuge), protobuf: falling(ProtobufCentrifuge) };
const peers = new Peers(builds, (event) => say({ event }));

for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...command } = JSON.parse(line);
  peers.run(command).then(
    (result) => say({ number, result }),
    (error) => say({ number, error: { code: error.code ?? -1, message: error.message ?? String(error) } }),
  );
}
process.exit(0);
