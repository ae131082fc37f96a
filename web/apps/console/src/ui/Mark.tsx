/** The mark of a state: a shape of its own besides the colour (WCAG 1.4.1). Words stand beside it or in `label`. */

import type { ReactNode } from "react";

export type Tone = "good" | "warn" | "bad" | "unknown" | "paused" | "pulse";

const SHAPES: Readonly<Record<Tone, ReactNode>> = {
  good: <circle cx="6" cy="6" r="4.5" />,
  warn: <path d="M6 1 11.5 11H.5Z" />,
  bad: <path d="M6 .5 11.5 6 6 11.5.5 6Z" />,
  unknown: <circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" strokeWidth="2" />,
  paused: <path d="M2 1h3v10H2zM7 1h3v10H7z" />,
  pulse: <circle cx="6" cy="6" r="4.5" />,
};

export const TONE_TEXT: Readonly<Record<Tone, string>> = {
  good: "text-good",
  warn: "text-warn",
  bad: "text-bad",
  unknown: "text-faint",
  paused: "text-muted",
  pulse: "text-pulse",
};

/** ```<Mark tone="warn" label="stale" />``` */
export function Mark({ tone, label }: { readonly tone: Tone; readonly label?: string }): ReactNode {
  const mark = (
    <svg
      viewBox="0 0 12 12"
      className={`size-2.5 shrink-0 ${TONE_TEXT[tone]}`}
      fill="currentColor"
      aria-hidden="true"
    >
      {SHAPES[tone]}
    </svg>
  );
  if (label === undefined) return mark;
  return (
    <span role="img" aria-label={label} title={label} className="inline-flex">
      {mark}
    </span>
  );
}
