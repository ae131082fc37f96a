/** The pages: a rail at the side of wide screens, a bar at the foot of phones. One list for both. */

import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { PAGES } from "./pages.js";

export function Navigation(): ReactNode {
  return (
    <nav
      aria-label="Pages"
      className="fixed inset-x-0 bottom-0 z-30 flex justify-around border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:sticky md:inset-auto md:top-13 md:h-[calc(100dvh-3.25rem)] md:w-22 md:shrink-0 md:flex-col md:justify-start md:gap-1 md:border-e md:border-t-0 md:bg-bg md:p-2"
    >
      {PAGES.map(({ to, short, icon: Icon }) => (
        <Link
          key={to}
          to={to}
          activeOptions={{ exact: to === "/", includeSearch: false }}
          activeProps={{ className: "text-text md:bg-selected", "aria-current": "page" }}
          inactiveProps={{ className: "text-muted hover:text-text md:hover:bg-hover" }}
          className="group flex h-14 flex-1 flex-col items-center justify-center gap-1 rounded-control text-2xs font-medium outline-offset-[-2px] transition-colors md:flex-none"
        >
          <span className="grid place-items-center rounded-full px-4 py-0.5 group-aria-[current=page]:bg-selected md:p-0">
            <Icon size={19} />
          </span>
          {short}
        </Link>
      ))}
    </nav>
  );
}
