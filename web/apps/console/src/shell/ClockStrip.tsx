/** A line over the page where the clocks of this device and of the server differ: then ages and charts are wrong. */

import type { ReactNode } from "react";
import { durationText } from "../charts/format.js";
import { clockAhead } from "../clock.js";
import { useStore } from "../store.js";
import { Mark } from "../ui/Mark.js";

export function ClockStrip(): ReactNode {
  const ahead = useStore(clockAhead);
  if (ahead === 0) return null;
  return (
    <p
      role="status"
      className="flex items-baseline gap-x-3 border-b border-line bg-surface px-4 py-1.5 text-sm lg:px-6"
    >
      <Mark tone="warn" />
      <span>
        <span className="font-medium">
          The clock of this device is {durationText(Math.abs(ahead) / 1000)}{" "}
          {ahead > 0 ? "ahead of" : "behind"} the server's.
        </span>{" "}
        <span className="text-muted">Ages and charts are wrong by as much: set the one that is wrong.</span>
      </span>
    </p>
  );
}
