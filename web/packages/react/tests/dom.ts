/**
 * A page around the tests, in a process that keeps Node's own WebSocket and events.
 *
 * The environment of Vitest replaces `Event` by that of jsdom, which the WebSocket of Node refuses.
 */

import { JSDOM, VirtualConsole } from "jsdom";
import { DEADLINE_MS } from "../../../testing/patience.js";

const virtualConsole = new VirtualConsole();
virtualConsole.forwardTo(console, { jsdomErrors: ["unhandled-exception"] });

const { window } = new JSDOM("<!doctype html><html lang='en'><title>Test</title></html>", {
  pretendToBeVisual: true,
  url: "http://localhost/",
  virtualConsole,
});

const shared = [
  "document",
  "Node",
  "Element",
  "HTMLElement",
  "getComputedStyle",
  "MutationObserver",
] as const;

Object.assign(globalThis, { window }, Object.fromEntries(shared.map((name) => [name, window[name]])));

const { configure } = await import("@testing-library/react"); // which looks for a page when it is loaded
configure({ asyncUtilTimeout: DEADLINE_MS });
