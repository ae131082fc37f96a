// The Socket.IO peers in Node.js: commands come as lines of JSON on stdin, answers and events go as lines to stdout.

import { createInterface } from "node:readline";
import { io } from "socket.io-client";
import { Sockets } from "./socketio.mjs";

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const sockets = new Sockets(io, (event) => say({ event }));

for await (const line of createInterface({ input: process.stdin })) {
  const { number, ...command } = JSON.parse(line);
  sockets.run(command).then(
    (result) => say({ number, result }),
    (error) => say({ number, error: { code: -1, message: error.message ?? String(error) } }),
  );
}
process.exit(0);
