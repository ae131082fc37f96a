/** The place of what is still coming; as large as that will be, so that nothing jumps. */

import type { ReactNode } from "react";
import { classes } from "./classes.js";

export function Skeleton({ className }: { readonly className?: string }): ReactNode {
  return (
    <span
      aria-hidden="true"
      className={classes(
        "moves-breathe block rounded-control bg-hover forced-colors:border forced-colors:border-dashed",
        className ?? "h-4 w-full",
      )}
    />
  );
}
