/**
 * The whole program of a `SharedWorker` through which the tabs of a site share one connection:
 *
 * ```ts
 * import { serveTabs } from "@vagus/client/worker";
 * serveTabs();
 * ```
 *
 * Tabs share as far as their tokens name the same person. Where tokens are no JWTs with a subject, or the worker fetches
 * them, one worker serves one person: `new SharedWorker(url, { name: user })`.
 */

import { connectHub } from "./hub.js";
import { TabHost } from "./tabs/host.js";
import type { ClientOptions } from "./types.js";

/** What the worker does itself; all else is as the tabs' clients ask for it. */
export type TabsOptions = Pick<ClientOptions, "getToken">;

/** Serve the tabs that connect to this worker. With `getToken` the worker fetches tokens itself instead of asking tabs. */
export function serveTabs({ getToken }: TabsOptions = {}): void {
  const host = new TabHost(connectHub(undefined), getToken);
  globalThis.addEventListener("connect", (event) => {
    const [port] = (event as MessageEvent).ports;
    if (port) host.accept(port);
  });
}
