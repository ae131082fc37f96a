/**
 * Coming and going, round after round: panels are mounted on channels that nobody followed, each shows a message, all
 * are unmounted again; now and then the connection is made anew. What stays behind must not grow.
 */

import type { Client } from "@vagus/client";
import "./passing.js";

declare global {
  /** Resolves with how many panels were mounted. */
  var churn: (rounds: number) => Promise<number>;
}

const PANELS = 50;
/** Two panels share each channel. */
const CHANNELS = PANELS / 2;
const ROUNDS_OF_A_CONNECTION = 10;

export function openChurn(client: Client): void {
  let round = 0;
  globalThis.churn = async (rounds) => {
    for (const end = round + rounds; round < end; round++) {
      await comeAndGo(client, round);
      if (round % ROUNDS_OF_A_CONNECTION === 0) {
        client.disconnect();
        client.connect();
        await client.ready();
      }
    }
    return rounds * PANELS;
  };
}

async function comeAndGo(client: Client, round: number): Promise<void> {
  const names = Array.from({ length: CHANNELS }, (_, number) => `plain:${round}-${number}` as const);
  globalThis.showPanels([...names, ...names]);
  await until(client.subscriptions, (all) => names.every((name) => all.get(name)?.state === "subscribed"));
  await Promise.all(names.map((name) => client.publish(name, { n: round })));
  await shown(round);
  globalThis.showPanels([]);
}

function until<T>(
  store: { get(): T; subscribe(listener: () => void): () => void },
  holds: (value: T) => boolean,
): Promise<void> {
  return new Promise((resolve) => {
    const end = store.subscribe(look);
    function look() {
      if (!holds(store.get())) return;
      end();
      resolve();
    }
    look();
  });
}

/** Wait until every panel shows the number. */
async function shown(number: number): Promise<void> {
  const panels = () => [...document.querySelectorAll("output.panel")];
  while (!panels().every((panel) => panel.textContent === String(number))) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
}
