/** Networks that are worse than this machine's: real proxies between a client and its server. */

import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, connect, createServer, type Server as TcpServer } from "node:net";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";

export interface HttpProxyOptions {
  /** Pass streams on in pieces of this size. */
  readonly bytesAtOnce?: number;
  /** Hang up on those who send commands beside their stream. */
  readonly refusesCommands?: boolean;
}

/** The address of a proxy that lets HTTP through, streams too, and no WebSocket. */
export async function withoutWebSockets(server: string, options: HttpProxyOptions = {}): Promise<string> {
  const { bytesAtOnce = 1 << 16, refusesCommands = false } = options;
  const proxy = createHttpServer((request, response) => {
    if (refusesCommands && request.url === "/emulation") return void response.destroy();
    void forward(request, server)
      .then(async (answer) => {
        response.writeHead(answer.status);
        for await (const chunk of answer.body ?? []) {
          for (let at = 0; at < chunk.length; at += bytesAtOnce) {
            response.write(chunk.subarray(at, at + bytesAtOnce));
            await new Promise(setImmediate);
          }
        }
        response.end();
      })
      .catch(() => response.destroy());
  });
  proxy.on("upgrade", (_, socket) => socket.destroy());
  onTestFinished(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${await portOf(proxy)}`;
}

function forward(request: IncomingMessage, server: string): Promise<Response> {
  const { method = "", url = "", headers } = request;
  const body = method === "POST" ? (Readable.toWeb(request) as unknown as ReadableStream) : null;
  const type = headers["content-type"] ?? "application/octet-stream";
  const options = { method, headers: { "content-type": type }, body, duplex: "half" };
  return fetch(server + url, options as RequestInit);
}

export interface LossyProxy {
  readonly url: string;
  /** From the next answer on, hang up instead of passing it on. */
  loseAnswers(): void;
}

/** A proxy whose connections break at the worst moment: when the server has done what it was asked, and says so. */
export async function losingAnswers(port: number): Promise<LossyProxy> {
  const links = new Set<{ isLosing: boolean; cut(): void }>();
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
      links.delete(link);
    };
    const link = { isLosing: false, cut };
    links.add(link);
    client.pipe(upstream);
    upstream.on("data", (data) => (link.isLosing ? cut() : client.write(data)));
    for (const socket of [client, upstream]) socket.on("error", cut).on("close", cut);
  });
  onTestFinished(() => {
    for (const { cut } of links) cut();
    proxy.close();
  });
  const loseAnswers = (): void => {
    for (const link of links) link.isLosing = true;
  };
  return { url: `http://127.0.0.1:${await portOf(proxy)}`, loseAnswers };
}

async function portOf(proxy: Server | TcpServer): Promise<number> {
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return (proxy.address() as AddressInfo).port;
}
