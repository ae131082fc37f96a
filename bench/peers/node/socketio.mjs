// The Socket.IO peer on Node.js, over WebSocket or polling: `subscribe` joins a room and acknowledges, `publish` emits
// to it.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket", "polling"], serveClient: false });

io.on("connection", (socket) => {
  socket.on("subscribe", (channel, acknowledge) => {
    socket.join(channel);
    acknowledge?.();
  });
  socket.on("publish", (channel, data) => io.to(channel).emit("message", data));
});

http.listen(0, "127.0.0.1", 4096, () => {
  console.log(JSON.stringify({ port: http.address().port, pid: process.pid, runtime: `node ${process.version}` }));
});
