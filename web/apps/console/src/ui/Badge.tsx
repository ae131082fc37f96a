/** A word or two about something: its state with a mark, or what it is without one. */

import type { ReactNode } from "react";
import { Mark, TONE_TEXT, type Tone } from "./Mark.js";

export interface BadgeProps {
  readonly children: ReactNode;
  /** With a tone it has that state's mark. */
  readonly tone?: Tone;
}

/** ```<Badge tone="good">Live</Badge> <Badge>websocket</Badge>``` */
export function Badge({ children, tone }: BadgeProps): ReactNode {
  return (
    <span
      className={`inline-flex h-5 items-center gap-1.5 rounded-full border border-line px-2 text-2xs font-medium whitespace-nowrap ${tone ? TONE_TEXT[tone] : "text-muted"}`}
    >
      {tone && <Mark tone={tone} />}
      {children}
    </span>
  );
}
