/** The mark of a state or severity: a shape of its own besides the colour, which the style sheet draws. */

import type { ConnectionState } from "@vagus/client";
import type { ReactNode } from "react";
import type { Severity } from "../stores/toasts.js";

export function Mark({ of }: { readonly of: ConnectionState | Severity }): ReactNode {
  return <span className="vagus-mark" data-mark={of} aria-hidden="true" />;
}
