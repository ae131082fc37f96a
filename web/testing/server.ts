/**
 * A real Vagus server for tests: `vagus serve` with the hub of `hub.py`, on a free port, as a process of its own.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEADLINE_MS } from "./patience.js";

const FOLDER = import.meta.dirname;
const VENV = join(FOLDER, "..", "..", ".venv", "bin", "vagus");
const PROGRAM = process.env["VAGUS"] ?? (existsSync(VENV) ? VENV : "vagus");

export class TestServer {
  readonly port: number;
  #process: ChildProcess | undefined;
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(port: number, folder: string, environment: Readonly<Record<string, string>>) {
    this.port = port;
    this.#folder = folder;
    this.#environment = environment;
  }

  /** Start one; `environment` holds settings such as `VAGUS_LIMITS__PING_INTERVAL_S`. */
  static async start(environment: Readonly<Record<string, string>> = {}): Promise<TestServer> {
    const folder = await mkdtemp(join(tmpdir(), "vagus-web-"));
    const server = new TestServer(await freePort(), folder, environment);
    await server.begin();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get webSocketUrl(): string {
    return `ws://127.0.0.1:${this.port}/connection/websocket`;
  }

  /** Start the process again, on the same port. */
  async begin(): Promise<void> {
    const running = spawn(
      PROGRAM,
      ["serve", "--app", "hub:hub", "--port", String(this.port), "--data-dir", this.#folder],
      {
        cwd: FOLDER,
        env: {
          ...process.env,
          PYTHONPATH: FOLDER,
          VAGUS_TOKENS__HMAC_SECRET: "a-secret-of-the-tests-that-is-long-enough",
          VAGUS_ACCESS__ORIGINS: "*",
          VAGUS_SERVER__LOG_LEVEL: "error",
          ...this.#environment,
        },
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    this.#process = running;
    const deadline = Date.now() + DEADLINE_MS;
    while (!(await this.#answers())) {
      if (running.exitCode !== null || Date.now() > deadline) throw new Error("the server does not start");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** End the process: with SIGTERM it says goodbye, with SIGKILL it does not. */
  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const exited = once(running, "exit");
    running.kill(signal);
    await exited;
  }

  async restart(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    await this.end(signal);
    await this.begin();
  }

  /** Hang without closing anything, as a machine does that fell asleep; or go on. */
  pause(paused: boolean): void {
    this.#process?.kill(paused ? "SIGSTOP" : "SIGCONT");
  }

  async close(): Promise<void> {
    this.#process?.kill("SIGCONT");
    await this.end();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    try {
      return (await fetch(`${this.url}/health?live`)).ok;
    } catch {
      return false;
    }
  }
}

/** One below those that the system gives to outgoing connections: it is still free when the server starts again. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(12_000, 22_000);
    const probe = createServer().listen(port, "127.0.0.1");
    const isFree = await once(probe, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}
