/** One channel: its figures, who is in it, and what is published there now, for those who may follow it. */

import { Radio } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "../../ui/Button.js";
import { Dialog } from "../../ui/Dialog.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Skeleton } from "../../ui/Skeleton.js";
import { useChannelFigures } from "./asking.js";
import { keptText } from "./ChannelsView.js";
import { useControl } from "./control.js";
import { LiveTail } from "./LiveTail.js";
import { Fact, Overdue } from "./parts.js";
import { countText, rateText } from "./words.js";

export function ChannelDrawer({ name }: { readonly name: string }): ReactNode {
  const { change, show, isPaused } = useControl();
  const { data, error, isPending, refetch } = useChannelFigures(name, isPaused);
  const [isFollowed, setFollowed] = useState(false);
  return (
    <Dialog
      open
      shape="drawer"
      onClose={() => change({ open: undefined })}
      title={name}
      description={data ? `Rule ${data.rule || "of the server's default"}` : "Channel"}
      footer={<Button onClick={() => show({ view: "clients", channel: name })}>Clients in it</Button>}
    >
      <div className="grid gap-5">
        {error && data === undefined && (
          <Fault title="The channel could not be read." error={error} retry={() => void refetch()} />
        )}
        {data !== undefined && <Overdue error={error} />}
        {isPending && <Skeleton className="h-28" />}
        {data === null && <p className="text-sm text-muted">Nobody follows it now.</p>}
        {data && (
          <dl className="grid grid-cols-2 gap-x-4 gap-y-3 sm:grid-cols-3">
            <Fact name="Subscribers">{countText(data.subscribers)}</Fact>
            <Fact name="Published">{rateText(data.publicationsPerSecond)}</Fact>
            <Fact name="In all" hint="Since somebody there began to follow">
              {countText(data.publications)}
            </Fact>
            <Fact name="Keeps">{keptText(data.history)}</Fact>
            <Fact name="Position">{data.position ? countText(data.position.offset) : "–"}</Fact>
            <Fact name="Nodes">{countText(data.nodes)}</Fact>
          </dl>
        )}
        <section>
          <h3 className="mb-2 text-sm font-semibold">What is published</h3>
          {isFollowed ? (
            <LiveTail channel={name} />
          ) : (
            <div className="grid justify-items-start gap-3 rounded-control border border-line bg-sunken p-3 text-xs text-muted">
              <p>
                To see what is published this page follows the channel, and counts as a subscriber meanwhile.
              </p>
              <Button size="small" icon={Radio} onClick={() => setFollowed(true)}>
                Follow it
              </Button>
            </div>
          )}
        </section>
      </div>
    </Dialog>
  );
}
