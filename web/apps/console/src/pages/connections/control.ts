/** What the parts of the page share: what is in the address, how to change it, and who may do what. */

import { createContext, use } from "react";
import type { Disconnected } from "./DisconnectDialog.js";
import type { ConnectionsSearch } from "./search.js";
import type { Watch } from "./watch.js";

export interface Control {
  readonly search: ConnectionsSearch;
  /** Changes parts of the address; `undefined` takes one out. */
  readonly change: (
    changes: { readonly [K in keyof ConnectionsSearch]?: ConnectionsSearch[K] | undefined },
  ) => void;
  /** Goes to a view with these filters and no others; the back button comes back. */
  readonly show: (search: ConnectionsSearch) => void;
  readonly watch: Watch;
  readonly isPaused: boolean;
  readonly mayDisconnect: boolean;
  readonly askToDisconnect: (whom: Disconnected) => void;
}

export const ControlContext = createContext<Control | null>(null);

export function useControl(): Control {
  const control = use(ControlContext);
  if (control === null) throw new Error("outside of the Connections page");
  return control;
}
