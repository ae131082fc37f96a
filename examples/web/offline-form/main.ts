/**
 * A form that may be sent at any time: what cannot go out now waits, and goes out in order once there is a connection.
 */

import { createClient } from "@vagus/client";
import "../style.css";

interface Report {
  readonly text: string;
}

declare module "@vagus/client" {
  interface Channels {
    [channel: `reports:${string}`]: Report;
  }
}

const client = createClient({
  url: new URL("/connection", location.href),
  retry: { tries: Number.POSITIVE_INFINITY, maxDelay: 5_000 },
});

const status = element("#status", HTMLElement);
const form = element("#form", HTMLFormElement);
const reports = element("#reports", HTMLTableSectionElement);

client.status.subscribe(showStatus);
client.connect();
showStatus();

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  void file(String(fields.get("place")), String(fields.get("text")));
  form.reset();
});

async function file(place: string, text: string): Promise<void> {
  const row = reports.insertRow();
  for (const cell of [place, text, "queued"]) row.insertCell().textContent = cell;
  const state = row.cells[2];
  let outcome: string;
  try {
    const receipt = await client.publish(`reports:${place}`, { text });
    outcome = `sent as number ${receipt.offset}`;
  } catch (error) {
    outcome = `refused: ${error instanceof Error ? error.message : error}`;
  }
  if (state) state.textContent = outcome;
}

function showStatus(): void {
  const { state, reason } = client.status.get();
  status.textContent = state === "connected" ? "Connected" : `Not connected: reports wait here. ${reason}`;
}

function element<E extends Element>(selector: string, kind: new () => E): E {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the page has no ${selector}`);
  return found;
}
