/** The pages of the navigation, in their order. */

import { Activity, Cable, type LucideIcon } from "lucide-react";

interface NavigationEntry {
  readonly to: "/" | "/connections";
  readonly title: string;
  /** For the narrow rail. */
  readonly short: string;
  readonly icon: LucideIcon;
  readonly keys: string;
}

export const PAGES: readonly NavigationEntry[] = [
  { to: "/", title: "Command centre", short: "Command", icon: Activity, keys: "g c" },
  { to: "/connections", title: "Connections", short: "Connections", icon: Cable, keys: "g n" },
];
