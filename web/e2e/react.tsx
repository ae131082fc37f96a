/** A board of live data as somebody would build it with @vagus/react, and what counts how often it drew. */

import { RealtimeProvider, RealtimeStatus, RealtimeToasts } from "@vagus/react";
import "@vagus/react/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./board.css";
import { openChurn } from "./churn.js";
import { watchFrames } from "./frames.js";
import { openLab, wishes } from "./lab.js";
import { Chart, Newest, Rows } from "./panels.js";
import { Passing } from "./passing.js";

declare global {
  var measureFrames: typeof watchFrames;
}

const { options, channel, query } = wishes();
const { client } = openLab(options);
openChurn(client);
globalThis.measureFrames = watchFrames;

const throttle = Number(query.get("throttle") ?? 1000);
const theme = query.get("theme");
if (theme !== null) document.documentElement.dataset["theme"] = theme;

const root = document.getElementById("root");
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <RealtimeProvider client={client} channels={{ alerts: "plain:alerts" }}>
        <header>
          <h1>A board of live data</h1>
          <RealtimeStatus />
        </header>
        <main>
          {channel !== "" && (
            <>
              <Newest channel={channel} throttle={throttle} />
              <Chart channel={channel} throttle={throttle} />
              <Rows channel={channel} throttle={throttle} />
            </>
          )}
          <Passing />
        </main>
        <RealtimeToasts />
      </RealtimeProvider>
    </StrictMode>,
  );
}
client.connect();
