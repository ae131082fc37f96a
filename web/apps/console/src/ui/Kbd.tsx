/** A shortcut, drawn as keys: `mod+k`, `g c`, `space`. */

import type { ReactNode } from "react";
import { labelsOf } from "../shortcuts.js";

export function Kbd({ keys }: { readonly keys: string }): ReactNode {
  return (
    <span className="inline-flex gap-1">
      {labelsOf(keys).map((label, place) => (
        <kbd
          // biome-ignore lint/suspicious/noArrayIndexKey: the keys of a shortcut never change places
          key={place}
          className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-line-strong bg-sunken px-1 font-sans text-2xs text-muted"
        >
          {label}
        </kbd>
      ))}
    </span>
  );
}
