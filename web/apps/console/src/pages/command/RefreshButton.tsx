/** Have a pulse made now; one a second at most, and the button says when there may be another. */

import { CallError, Codes } from "@vagus/client";
import { useRealtimeConnection, useToasts } from "@vagus/react";
import { RefreshCw } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { useActions } from "../../actions.js";
import { client } from "../../connection.js";
import { Button } from "../../ui/Button.js";

/** The server allows one a second for each client. */
const PAUSE_MS = 1_000;

export function RefreshButton(): ReactNode {
  const isConnected = useRealtimeConnection(({ isConnected }) => isConnected);
  const { add } = useToasts();
  const [isBusy, setBusy] = useState(false);
  const [isResting, setResting] = useState(false);

  useEffect(() => {
    if (!isResting) return;
    const timer = setTimeout(() => setResting(false), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [isResting]);

  const mayAsk = isConnected && !isBusy && !isResting;
  const offered = useMemo(() => {
    const refresh = async (): Promise<void> => {
      if (!mayAsk) return;
      setBusy(true);
      try {
        await client.call("fusionRefresh", null);
      } catch (error) {
        const isEarly = error instanceof CallError && error.code === Codes.TOO_MANY_REQUESTS;
        const message = isEarly
          ? "It may be asked for once a second."
          : "No node collects now: try again in a moment.";
        add({ title: "No pulse was made", message, severity: "warning", key: "fusion-refresh" });
      } finally {
        setBusy(false);
        setResting(true);
      }
    };
    const run = (): void => void refresh();
    return [
      {
        id: "command.refresh",
        title: "Refresh: have a pulse made now",
        group: "Command centre",
        keys: "r",
        icon: RefreshCw,
        run,
      },
    ];
  }, [mayAsk, add]);
  useActions(offered);

  const blocked = !isConnected ? "There is no connection." : isResting && "Again in a second.";
  return (
    <Button icon={RefreshCw} busy={isBusy} blocked={blocked} onClick={() => offered[0]?.run()}>
      Refresh
    </Button>
  );
}
