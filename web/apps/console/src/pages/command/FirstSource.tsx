/**
 * What stands on the page while no source has ever said anything: one line for a shell that makes the first one speak.
 *
 * Pulses may be minutes apart, so this asks for one every few seconds while somebody looks, and is gone with the first
 * value that comes.
 */

import { FilePlus2 } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { client } from "../../connection.js";
import { CopyLine, EmptyState } from "../../ui/EmptyState.js";
import { Mark } from "../../ui/Mark.js";
import { Panel } from "../../ui/Panel.js";
import { useFeedState } from "./useFeed.js";

const FILE = "memo_index.json";
const ASK_MS = 2_500;

export function FirstSource(): ReactNode {
  const { shown } = useFeedState();
  useEffect(() => {
    const timer = setInterval(() => {
      // Whatever is wrong shows in the page's condition.
      if (document.visibilityState === "visible") client.call("fusionRefresh", null).catch(() => {});
    }, ASK_MS);
    return () => clearInterval(timer);
  }, []);
  const folder = folderIn(shown.at(-1)?.sources["memoIndex"]?.error ?? "");
  return (
    <Panel title="Your first source">
      <EmptyState icon={FilePlus2} title="Nothing has been collected yet">
        <p>
          Four files are watched in the server's data folder. Make the first one: paste this into a shell on
          the server.
        </p>
        <div className="grid w-full grid-cols-[minmax(0,1fr)]">
          <CopyLine>{`echo '{"memos": [{"title": "Hello"}, {"title": "World"}]}' > ${quoted(`${folder}${FILE}`)}`}</CopyLine>
        </div>
        <p role="status">
          <span className="moves-breathe me-2 inline-block">
            <Mark tone="unknown" />
          </span>
          Waiting for {FILE}… this page changes by itself when it is there.
        </p>
        <p>
          <span className="font-mono text-xs">revenue_snapshot.json</span>,{" "}
          <span className="font-mono text-xs">drive_sync.log</span> and{" "}
          <span className="font-mono text-xs">ERIC_recommendations.json</span> are the others. Databases,
          HTTP, Prometheus and more are added under Sources below.
        </p>
      </EmptyState>
    </Panel>
  );
}

/** The data folder, which the source names when it looks for its file in vain. */
function folderIn(error: string): string {
  const end = error.indexOf(FILE);
  const place = end > 0 ? error.slice(0, end) : "";
  return place.endsWith("/") || place.endsWith("\\") ? place : "vagus-data/";
}

/** As a shell takes it. */
function quoted(path: string): string {
  return /^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
