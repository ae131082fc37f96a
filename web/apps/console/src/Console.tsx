/** The whole page: who is there decides what is shown. */

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { RealtimeProvider } from "@vagus/react";
import type { ReactNode } from "react";
import { client, queries } from "./connection.js";
import { router } from "./router.js";
import { session } from "./session.js";
import { SessionEnded, SignIn, Unreachable } from "./shell/SignIn.js";
import { useStore } from "./store.js";

export function Console(): ReactNode {
  const now = useStore(session);
  switch (now.state) {
    case "asking":
      return null;
    case "unreachable":
      return <Unreachable error={now.error} />;
    case "out":
      return <SignIn error={now.error} />;
    case "in":
    case "ended":
      return (
        <QueryClientProvider client={queries}>
          <RealtimeProvider client={client}>
            <RouterProvider router={router} />
            {now.state === "ended" && <SessionEnded user={now.session.user} />}
          </RealtimeProvider>
        </QueryClientProvider>
      );
  }
}
