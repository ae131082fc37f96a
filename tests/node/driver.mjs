// The peers in Node.js: commands come as lines of JSON on stdin, answers and events go as lines to stdout.

import { createInterface } from "node:readline";
import { Centrifuge } from "centrifuge";
import { Centrifuge as ProtobufCentrifuge } from "centrifuge/build/protobuf";
import { WebSocket } from "ws";
import { Peers } from "./peers.mjs";

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const peers = new Peers({ json: Centrifuge, protobuf: ProtobufCentrifuge }, (event) => say({ event }));

// A WebSocket that reports each text frame as it goes by.
const reporting = (report) =>
  class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.on("message", (data, isBinary) => isBinary || report({ kind: "frame_in", channel: "", text: String(data) }));
    }

    send(data, ...rest) {
      if (typeof data === "string") report({ kind: "frame_out", channel: "", text: data });
      super.send(data, ...rest);
    }
  };

for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...command } = JSON.parse(line);
  if (command.op === "open") command.websocket = reporting;
  peers.run(command).then(
    (result) => say({ number, result }),
    (error) => say({ number, error: { code: error.code ?? -1, message: error.message ?? String(error) } }),
  );
}
process.exit(0);
