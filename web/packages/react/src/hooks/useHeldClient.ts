/** Keeping a client of components open for as long as one that wants it is mounted. */

import type { Client } from "@vagus/client";
import { useEffect, useState } from "react";
import type { OwnedClient } from "../stores/clients.js";

/**
 * It connects when it is mounted, if it `connects`. Where the client was closed meanwhile, as when React shows again
 * what it had hidden for a while, the component renders, and is to ask for another one then.
 */
export function useHeldClient({ client, hold }: OwnedClient, connects = true): Client {
  const [, renew] = useState({});
  useEffect(() => {
    const release = hold();
    if (!release) renew({});
    else if (connects) client.connect();
    return release;
  }, [client, hold, connects]);
  return client;
}
