/** Where the page begins. The code of a sign-in link is used at once, and never stays in the address or the history. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Console } from "./Console.js";
import { keepConnected } from "./connection.js";
import { check, signInByLink } from "./session.js";
import { applySettings } from "./settings.js";
import { listenForShortcuts } from "./shortcuts.js";
import "./theme.css";
import "./forced-colors.css";

const address = new URL(location.href);
const code = address.searchParams.get("code");
if (code !== null) {
  address.searchParams.delete("code");
  history.replaceState(null, "", address);
}

applySettings();
keepConnected();
listenForShortcuts();
void (code === null ? check() : signInByLink(code));

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <Console />
  </StrictMode>,
);
