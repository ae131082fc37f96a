/**
 * The pages and their addresses. What is seen is in the address: range, filters, pause, so that it can be shared and the
 * back button works. A page's code is loaded when it is first visited.
 */

import { createRootRoute, createRoute, createRouter, retainSearchParams } from "@tanstack/react-router";
import { labsSearch } from "./charts/search.js";
import { commandSearch } from "./pages/command/search.js";
import { connectionsSearch } from "./pages/connections/search.js";
import { PageFault, PageMissing, PagePending, PageUnloaded } from "./shell/Page.js";
import { Shell } from "./shell/Shell.js";
import { loaded } from "./ui/loaded.js";

interface RootSearch {
  /** For a display on a wall: the page alone. */
  readonly kiosk?: true;
}

const root = createRootRoute({
  component: Shell,
  validateSearch: ({ kiosk }: Record<string, unknown>): RootSearch =>
    kiosk === undefined || kiosk === false ? {} : { kiosk: true },
  search: { middlewares: [retainSearchParams(["kiosk"])] },
});

const command = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: commandSearch,
  component: loaded(async () => (await import("./pages/command/CommandPage.js")).CommandPage, PageUnloaded),
});

const connections = createRoute({
  getParentRoute: () => root,
  path: "/connections",
  validateSearch: connectionsSearch,
  component: loaded(
    async () => (await import("./pages/connections/ConnectionsPage.js")).ConnectionsPage,
    PageUnloaded,
  ),
});

/** Not in the navigation: charts under load, for the bench. */
const labs = createRoute({
  getParentRoute: () => root,
  path: "/labs/charts",
  validateSearch: labsSearch,
  component: loaded(async () => (await import("./charts/LabsPage.js")).LabsPage, PageUnloaded),
});

export const router = createRouter({
  routeTree: root.addChildren([command, connections, labs]),
  defaultPreload: "intent",
  defaultErrorComponent: PageFault,
  defaultNotFoundComponent: PageMissing,
  defaultPendingComponent: PagePending,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
