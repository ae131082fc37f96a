// The bare WebSocket peer on Node.js: whoever opens /sub/X receives what whoever opens /pub/X sends. No protocol, no
// acknowledgements, nothing kept: the least that a Node.js server can do for a fan-out.
import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const subscribers = new Map();
const http = createServer();
const sockets = new WebSocketServer({ server: http });

function subscribersOf(channel) {
  let found = subscribers.get(channel);
  if (!found) subscribers.set(channel, (found = new Set()));
  return found;
}

sockets.on("connection", (socket, request) => {
  const [, role, channel] = request.url.split("/");
  const others = subscribersOf(channel);
  if (role === "pub") {
    socket.on("message", (data) => {
      for (const other of others) other.send(data, { binary: false });
    });
  } else {
    others.add(socket);
    socket.on("close", () => others.delete(socket));
  }
  socket.on("error", () => {});
});

http.listen(0, "127.0.0.1", 4096, () => {
  console.log(JSON.stringify({ port: http.address().port, pid: process.pid, runtime: `node ${process.version}` }));
});
