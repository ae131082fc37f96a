// The EventSource peer on Node.js: `GET /events?channel=X` is answered with a stream of events, `POST /api/publish` with
// {"channel", "data"} sends one to every stream of the channel. The event is encoded once; node:http does the rest.
import { createServer } from "node:http";

const HEARTBEAT_MS = 15_000;
const streams = new Map();

function streamsOf(channel) {
  let found = streams.get(channel);
  if (!found) streams.set(channel, (found = new Set()));
  return found;
}

function open(channel, response) {
  const others = streamsOf(channel);
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  response.write(": open\n\n");
  others.add(response);
  response.on("close", () => others.delete(response));
}

async function publish(request, response) {
  let body = "";
  for await (const piece of request) body += piece;
  const { channel, data } = JSON.parse(body);
  const event = Buffer.from(`data: ${JSON.stringify(data)}\n\n`);
  for (const other of streamsOf(channel)) other.write(event);
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": 2 }).end("{}");
}

const http = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/events") open(url.searchParams.get("channel"), response);
  else if (url.pathname === "/api/publish") publish(request, response);
  else response.writeHead(404).end();
});

setInterval(() => {
  for (const channel of streams.values()) for (const response of channel) response.write(":\n\n");
}, HEARTBEAT_MS).unref();

http.listen(0, "127.0.0.1", 4096, () => {
  console.log(JSON.stringify({ port: http.address().port, pid: process.pid, runtime: `node ${process.version}` }));
});
