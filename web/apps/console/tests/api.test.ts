/** Against a real HTTP server, which answers as each test says. */

import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ApiError, addressOf, get, post, whenUnauthorized } from "../src/api.js";

let server: Server | undefined;

afterEach(() => {
  whenUnauthorized(() => {});
  server?.closeAllConnections();
  server?.close();
});

async function serve(answer: RequestListener): Promise<string> {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/`;
}

function serveProblem(status: number, body: string, headers: Record<string, string> = {}): Promise<string> {
  return serve((_, response) => response.writeHead(status, headers).end(body));
}

async function faultOf(asked: Promise<unknown>): Promise<ApiError> {
  const fault = await asked.catch((error: unknown) => error);
  expect(fault).toBeInstanceOf(ApiError);
  return fault as ApiError;
}

test("the detail of a problem document is what a person reads", async () => {
  const url = await serveProblem(
    400,
    JSON.stringify({ title: "Bad Request", status: 400, detail: "Too many minutes." }),
  );
  const { status, message } = await faultOf(get(url));
  expect([status, message]).toEqual([400, "Too many minutes."]);
});

test("an answer that is no problem document is told by its status", async () => {
  const url = await serveProblem(502, "<h1>Bad gateway</h1>");
  expect((await faultOf(get(url))).message).toBe("The server answered 502.");
});

test("how long to wait comes with the error", async () => {
  const url = await serveProblem(429, "{}", { "retry-after": "3" });
  expect((await faultOf(post(url))).retryAfterS).toBe(3);
});

test("a session that has ended is told, and the question fails", async () => {
  let told = 0;
  whenUnauthorized(() => told++);
  const url = await serveProblem(401, "{}");
  expect((await faultOf(get(url))).status).toBe(401);
  expect(told).toBe(1);
});

test("a server that is not there is told in words", async () => {
  const url = await serveProblem(200, "{}");
  await new Promise((resolve) => server?.close(resolve));
  const { status, message } = await faultOf(get(url));
  expect(status).toBe(0);
  expect(message).toMatch(/cannot be reached/);
});

test("an answer that is no JSON is told in words", async () => {
  const url = await serveProblem(200, "<h1>Welcome to the hotel's network</h1>");
  const { status, message } = await faultOf(get(url));
  expect(status).toBe(200);
  expect(message).toContain("no answer of this server");
});

test("an answer that breaks off is told in words", async () => {
  const url = await serve((_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write("{", () => response.destroy());
  });
  expect((await faultOf(get(url))).message).toMatch(/cannot be reached/);
});

test("what is posted arrives as JSON", async () => {
  const url = await serve((request, response) => {
    response.setHeader("content-type", "application/json");
    request.pipe(response);
  });
  expect(await post(url, { minutes: 3 })).toEqual({ minutes: 3 });
});

test("giving up is no error of the server", async () => {
  const url = await serve(() => {});
  const asked = get(url, { signal: AbortSignal.abort() });
  await expect(asked).rejects.toMatchObject({ name: "AbortError" });
});

test("a list is a parameter for each, and nothing is left out by its name", () => {
  expect(addressOf("/api/x", { metric: ["a", "b c"], from: 0, to: undefined })).toBe(
    "/api/x?metric=a&metric=b+c&from=0",
  );
  expect(addressOf("/api/x")).toBe("/api/x");
});
