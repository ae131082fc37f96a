/** The name, and the pulse that the nerve carries. As large as the text around it. */

import type { ReactNode } from "react";

export function Wordmark(): ReactNode {
  return (
    <span className="inline-flex items-center gap-[0.5em] text-lg">
      <Pulse className="h-[1.1em]" />
      <span className="leading-none font-semibold tracking-tight max-[359px]:sr-only">Vagus</span>
    </span>
  );
}

/** The line alone; its ends are at 13 of its 24 units of height. */
export function Pulse({ className }: { readonly className: string }): ReactNode {
  return (
    <svg viewBox="0 0 44 24" className={className} fill="none" aria-hidden="true">
      <path
        d="M0 13h11.5L15 3.5 22 21l5-11.5L29.5 13H44"
        stroke="var(--pulse)"
        strokeWidth="2.25"
        strokeLinejoin="round"
      />
    </svg>
  );
}
