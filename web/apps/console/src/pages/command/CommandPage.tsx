/** The command centre: what all sources say now, how that changed, and how the whole does. */

import { Pause, Play } from "lucide-react";
import { type ReactNode, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { useActions } from "../../actions.js";
import { Page } from "../../shell/Page.js";
import { useWall } from "../../shell/wall.js";
import { Button } from "../../ui/Button.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { loaded } from "../../ui/loaded.js";
import { Unread } from "../../ui/Unread.js";
import { renewHistory, useHealth, useNewsOfPulses } from "./asking.js";
import { CardGrid } from "./CardGrid.js";
import { ChartsPanel, type ChartsPanelProps } from "./ChartsPanel.js";
import "./command.css";
import { ConditionBar } from "./ConditionBar.js";
import { EmitterPanel } from "./EmitterPanel.js";
import { Feed } from "./feed.js";
import { PaceControl } from "./PaceControl.js";
import { RecentPulses } from "./RecentPulses.js";
import { RefreshButton } from "./RefreshButton.js";
import { SourcesPanel } from "./SourcesPanel.js";
import { isUntouched, type SourceFields, sourcesIn } from "./sources.js";
import { FeedContext, useFeed } from "./useFeed.js";
import { useView } from "./useView.js";

/** Nobody sees it who has a source. */
const FirstSource = loaded<object>(async () => (await import("./FirstSource.js")).FirstSource, Fault);

export function CommandPage(): ReactNode {
  const [feed] = useState(() => new Feed());
  const view = useView();
  const { isPaused, setPaused } = view;
  const health = useHealth();
  const sources = useSources(health.data);
  useNewsOfPulses(feed);

  useEffect(() => {
    if (isPaused) feed.pause(Date.now());
    else feed.resume();
  }, [feed, isPaused]);
  useEffect(() => feed.listen((_, lost) => lost && renewHistory()), [feed]);
  useActions(
    useMemo(() => {
      const title = isPaused ? "Resume the view" : "Pause the view";
      const run = (): void => setPaused(!isPaused);
      const icon = isPaused ? Play : Pause;
      return [
        { id: "command.pause", title, group: "Command centre", keys: "space", alsoKeys: "p", icon, run },
      ];
    }, [isPaused, setPaused]),
  );

  return (
    <FeedContext value={feed}>
      <Page
        title="Command centre"
        actions={
          <>
            <Button
              icon={isPaused ? Play : Pause}
              aria-pressed={isPaused}
              onClick={() => setPaused(!isPaused)}
            >
              {isPaused ? "Resume" : "Pause"}
            </Button>
            <RefreshButton />
            <PaceControl />
          </>
        }
      >
        <ConditionBar resume={() => setPaused(false)} />
        {sources.length === 0 && <Unread title="The sources could not be read." query={health} />}
        <Insight sources={sources} view={view} />
      </Page>
    </FeedContext>
  );
}

/** Cards, charts, sources and pulses, of which a wall display has what changes; as long as nothing was ever collected, what to do first instead of the charts. */
function Insight({ sources, view }: ChartsPanelProps): ReactNode {
  const feed = useFeed();
  const { isWall } = useWall();
  const isUntouchedYet = useSyncExternalStore(feed.subscribe, () => isUntouched(feed.get().shown.at(-1)));
  return (
    <>
      <h2 className="sr-only">Now</h2>
      {!isUntouchedYet && <CardGrid sources={sources} />}
      <div className="command-columns">
        <div className="grid min-w-0 grid-cols-[minmax(0,1fr)] content-start gap-gap">
          {isUntouchedYet ? <FirstSource /> : <ChartsPanel sources={sources} view={view} />}
          {!isWall && <SourcesPanel />}
        </div>
        <div className="grid content-start gap-gap sm:grid-cols-2 xl:grid-cols-1">
          <RecentPulses />
          {!isWall && <EmitterPanel />}
        </div>
      </div>
      {isUntouchedYet && <CardGrid sources={sources} />}
    </>
  );
}

/** The sources, the same array as long as their fields are the same: charts are built anew for others. */
function useSources(health: Parameters<typeof sourcesIn>[0]): readonly SourceFields[] {
  const text = JSON.stringify(sourcesIn(health));
  return useMemo(() => JSON.parse(text), [text]);
}
