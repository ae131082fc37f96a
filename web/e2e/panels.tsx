/** Three panels over one channel of numbers: the newest one, a line of them, and the last few. */

import { useRealtimeActivities, useRealtimeChartData, useRealtimeMetrics } from "@vagus/react";
import { useEffect, useRef } from "react";
import { counted } from "./counting.js";
import type { Numbered, NumbersChannel } from "./lab.js";

interface PanelProps {
  readonly channel: NumbersChannel;
  readonly throttle: number;
}

export function Newest({ channel, throttle }: PanelProps) {
  counted("newest");
  const { data, isLive } = useRealtimeMetrics(channel, { throttle });
  return (
    <section aria-label="Newest">
      <h2>Newest</h2>
      <output data-live={isLive}>{data?.n ?? "none"}</output>
    </section>
  );
}

const WIDTH = 600;
const HEIGHT = 120;

export function Chart({ channel, throttle }: PanelProps) {
  counted("chart");
  const canvas = useRef<HTMLCanvasElement>(null);
  const { series, version } = useRealtimeChartData(channel, { value: numberOf, throttle });
  useEffect(() => {
    const values = series["value"];
    const pen = canvas.current?.getContext("2d");
    if (version > 0 && values !== undefined && pen) draw(pen, values);
  }, [series, version]);
  return (
    <section aria-label="Chart">
      <h2>Chart</h2>
      <canvas ref={canvas} width={WIDTH} height={HEIGHT} role="img" aria-label="The last numbers as a line" />
    </section>
  );
}

const numberOf = ({ n }: Numbered) => n % 1000;

function draw(pen: CanvasRenderingContext2D, values: Float64Array): void {
  pen.clearRect(0, 0, WIDTH, HEIGHT);
  pen.beginPath();
  for (const [index, value] of values.entries()) {
    pen.lineTo((WIDTH * index) / values.length, HEIGHT * (1 - value / 1000));
  }
  pen.strokeStyle = "#56b4e9";
  pen.stroke();
}

export function Rows({ channel, throttle }: PanelProps) {
  counted("rows");
  const { activities } = useRealtimeActivities(channel, { keep: 20, throttle });
  return (
    <section aria-label="Rows">
      <h2>Rows</h2>
      <ol>
        {activities.map((message) => (
          <li key={message.offset}>{message.data.n}</li>
        ))}
      </ol>
    </section>
  );
}
