/**
 * Charts fed with made-up numbers as fast as the address says, and how many frames a second that leaves: for the bench,
 * and to try a machine. `/labs/charts?charts=12&hz=10`.
 */

import { useSearch } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Page } from "../shell/Page.js";
import { Badge } from "../ui/Badge.js";
import { Card } from "../ui/Panel.js";
import { LiveChart } from "./LiveChart.js";
import type { Line } from "./plot.js";
import { Track } from "./track.js";

const WINDOW_MS = 120_000;
const POINTS = 1_200;

export function LabsPage(): ReactNode {
  const { charts = 12, hz = 10 } = useSearch({ from: "/labs/charts" });
  const [isRunning, setRunning] = useState(true);
  const lines = useInvented(charts, hz, isRunning);
  const frames = useFrames();
  return (
    <Page
      title="Charts under load"
      about={<Badge tone="warn">Demo data</Badge>}
      actions={
        <button type="button" className="text-sm underline" onClick={() => setRunning(!isRunning)}>
          {isRunning ? "Stop" : "Go on"}
        </button>
      }
    >
      <p className="text-sm text-muted">
        {charts} charts of {POINTS} points, fed {hz} times a second. <span ref={frames} />
      </p>
      <div className="grid gap-gap md:grid-cols-2 xl:grid-cols-3 2xl:grid-cols-4">
        {lines.map((line, place) => (
          <Card key={line[0].metric}>
            <LiveChart
              title={`Demo ${place + 1}`}
              lines={line}
              window={lastWindow}
              words="the last 2 minutes"
              isMoving={isRunning}
              height={140}
              syncKey="labs"
              onBrush={nothing}
              onHold={nothing}
            />
          </Card>
        ))}
      </div>
    </Page>
  );
}

const lastWindow = () => ({ from: Date.now() - WINDOW_MS, to: Date.now() });
const nothing = (): void => {};

function useInvented(charts: number, hz: number, isRunning: boolean): readonly (readonly [Line])[] {
  const [made, setMade] = useState<readonly (readonly [Line])[]>([]);
  useEffect(() => {
    const tracks = Array.from({ length: charts }, (_, place): readonly [Line] => {
      const track = new Track(POINTS);
      const at = Array.from(
        { length: POINTS },
        (_, index) => Date.now() - (POINTS - index) * (WINDOW_MS / POINTS),
      );
      const values = at.map((time) => wave(time, place));
      track.replace({ at, min: values, max: values, mean: values }, 1);
      return [{ metric: `demo-${place}`, label: `Demo ${place + 1}`, unit: "", track }];
    });
    setMade(tracks);
  }, [charts]);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => {
      const now = Date.now();
      made.forEach(([{ track }], place) => {
        track.push(now, wave(now, place), 1_000 / hz);
      });
    }, 1_000 / hz);
    return () => clearInterval(timer);
  }, [made, hz, isRunning]);
  return made;
}

const wave = (time: number, place: number): number =>
  100 + 40 * Math.sin(time / (4_000 + 700 * place)) + 8 * Math.random();

/** Writes frames a second past React, which would cost frames itself. */
function useFrames() {
  const shown = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let [count, began, request] = [0, performance.now(), 0];
    const frame = (now: number): void => {
      count += 1;
      if (now - began >= 1_000) {
        const rate = (count * 1_000) / (now - began);
        if (shown.current) shown.current.textContent = `${rate.toFixed(1)} frames a second.`;
        [count, began] = [0, now];
      }
      request = requestAnimationFrame(frame);
    };
    request = requestAnimationFrame(frame);
    return () => cancelAnimationFrame(request);
  }, []);
  return shown;
}
