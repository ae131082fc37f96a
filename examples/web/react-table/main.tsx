/** A table that is measured a thousand times a second, and drawn once a second: the page is sent what it draws. */

import { Age, RealtimeProvider, RealtimeStatus, useRealtimeMetrics } from "@vagus/react";
import "@vagus/react/styles.css";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../style.css";

interface Readings {
  readonly number: number;
  readonly values: readonly number[];
}

declare module "@vagus/client" {
  interface Channels {
    readings: Readings;
  }
}

function ReadingsTable(): ReactNode {
  const { data, receivedAt } = useRealtimeMetrics("readings", { throttle: 1_000 });
  if (data === undefined) return <p>Waiting for the first reading.</p>;
  return (
    <>
      <p>
        Reading <strong id="number">{data.number}</strong>, <Age at={receivedAt} />
      </p>
      <table>
        <thead>
          <tr>
            <th>Sensor</th>
            <th>Temperature</th>
          </tr>
        </thead>
        <tbody>
          {data.values.map((value, sensor) => (
            <tr key={sensor}>
              <td>{sensor + 1}</td>
              <td className="number">{value.toFixed(2)} °C</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <RealtimeProvider options={{ url: new URL("/connection", location.href) }}>
      <h1>Readings (demo)</h1>
      <RealtimeStatus placement="bottom-start" />
      <ReadingsTable />
    </RealtimeProvider>
  </StrictMode>,
);
