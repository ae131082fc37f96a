/** What a source that is there says when it is asked once, at once and on a press again. Nothing is kept of that. */

import { FlaskConical } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "../../ui/Button.js";
import { Dialog } from "../../ui/Dialog.js";
import { useTried } from "./asking.js";
import { Outcome } from "./Outcome.js";
import type { Entry } from "./sources.js";

export interface SourceTestProps {
  readonly entry: Entry;
  /** Something made up stands in for it. */
  readonly isDemo: boolean;
  readonly onClose: () => void;
}

export function SourceTest({ entry, isDemo, onClose }: SourceTestProps): ReactNode {
  const { name, kind, settings } = entry;
  const { data, error, isFetching, refetch } = useTried(JSON.stringify({ ...settings, kind, name }), true);
  return (
    <Dialog
      open
      onClose={onClose}
      shape="small"
      title={`Test ${name}`}
      description="It is asked once; nothing is kept of that."
      footer={
        <Button icon={FlaskConical} busy={isFetching} onClick={() => void refetch()}>
          Ask again
        </Button>
      }
    >
      <div role="status" className="text-sm">
        {isFetching ? (
          <p className="text-muted">Asking {name}…</p>
        ) : (
          (data ?? error) && <Outcome tried={data} error={error} />
        )}
        {isDemo && !data?.ok && !isFetching && (
          <p className="mt-2 text-muted">Until it answers, demo data stands in for it.</p>
        )}
      </div>
    </Dialog>
  );
}
