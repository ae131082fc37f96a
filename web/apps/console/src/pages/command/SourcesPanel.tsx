/** All sources and how they do; for admins also testing, adding, changing and removing them. */

import { useToasts } from "@vagus/react";
import { Ellipsis, FlaskConical, Pencil, Plus, Trash2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { ApiError } from "../../api.js";
import { durationText } from "../../charts/format.js";
import { useRole } from "../../session.js";
import { Badge } from "../../ui/Badge.js";
import { Button, IconButton } from "../../ui/Button.js";
import { ConfirmDialog, Dialog } from "../../ui/Dialog.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Mark } from "../../ui/Mark.js";
import { Panel } from "../../ui/Panel.js";
import { Menu } from "../../ui/Popover.js";
import { type Column, Table } from "../../ui/Table.js";
import {
  addSource,
  removeSource,
  renewSources,
  type Tried,
  testSource,
  useEntries,
  useHealth,
} from "./asking.js";
import { type Draft, draftOf, EMPTY, formOf } from "./kinds.js";
import { titleOf } from "./names.js";
import { Outcome } from "./Outcome.js";
import { type Entry, type SourceHealth, stateOf } from "./sources.js";

/** Few ever open it. */
const SourceDialog = lazy(async () => ({ default: (await import("./SourceDialog.js")).SourceDialog }));

interface Row {
  readonly name: string;
  readonly health: SourceHealth;
  readonly entry: Entry | undefined;
}

type Open =
  | { readonly kind: "form"; readonly draft: Draft; readonly entry: Entry | undefined }
  | { readonly kind: "removal"; readonly entry: Entry }
  | { readonly kind: "test"; readonly entry: Entry };

const ORIGINS = { ready: "comes ready", configuration: "in the configuration", added: "added here" } as const;

export function SourcesPanel(): ReactNode {
  const mayChange = useRole("admin");
  const { data: health, error, refetch, dataUpdatedAt } = useHealth();
  const { data: entries } = useEntries(mayChange);
  const [open, setOpen] = useState<Open>();
  const removal = useRemoval();
  const rows = Object.entries(health?.sources ?? {}).map(([name, health]): Row => {
    return { name, health, entry: entries?.find((entry) => entry.name === name) };
  });
  const answering = rows.filter((row) => row.health.available).length;
  const hasActions = rows.some(({ entry }) => entry?.settings != null);
  const close = (): void => setOpen(undefined);
  const remove = (entry: Entry): void => {
    if (entry.hidden.length > 0) setOpen({ kind: "removal", entry });
    else void removal.withUndo(entry);
  };

  return (
    <Panel
      title="Sources"
      about={health && `${answering} of ${rows.length} answer`}
      at={dataUpdatedAt || null}
      flush
      actions={
        <Button
          size="small"
          icon={Plus}
          blocked={!mayChange && "Only admins may add sources."}
          onClick={() => setOpen({ kind: "form", draft: EMPTY, entry: undefined })}
        >
          Add source
        </Button>
      }
    >
      {error && (
        <div className="p-pad">
          <Fault title="The sources could not be read." error={error} retry={() => void refetch()} />
        </div>
      )}
      <Table
        caption="Sources and how they do"
        columns={hasActions ? [...COLUMNS, actionsColumn(setOpen, remove)] : COLUMNS}
        rows={rows}
        rowKey={({ name }) => name}
      />
      {open?.kind === "form" && (
        <Suspense>
          <SourceDialog
            draft={open.draft}
            isKnown={open.entry !== undefined}
            hidden={open.entry?.hidden ?? []}
            onClose={close}
          />
        </Suspense>
      )}
      {open?.kind === "test" && <TestDialog entry={open.entry} onClose={close} />}
      {open?.kind === "removal" && (
        <ConfirmDialog
          open
          onClose={close}
          title={`Remove ${open.entry.name}?`}
          typed={open.entry.name}
          action="Remove"
          onConfirm={() => removal.forGood(open.entry)}
        >
          <p>
            It has secrets that are never shown ({open.entry.hidden.join(", ")}), so this cannot be undone.
            What is kept of its values stays.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}

const COLUMNS: readonly Column<Row>[] = [
  {
    id: "name",
    header: "Source",
    cell: ({ name, health, entry }) => (
      <span className="inline-flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-medium">{titleOf(name)}</span>
        {health.demo && <Badge>Demo data</Badge>}
        {entry && (
          <span className="text-xs text-faint">
            {[formOf(entry.kind)?.label, ORIGINS[entry.origin]].filter(Boolean).join(", ")}
          </span>
        )}
      </span>
    ),
  },
  {
    id: "status",
    header: "State",
    cell: ({ health: { status, asOf } }) => {
      const { tone, words } = stateOf(status, asOf === null);
      return (
        <span className="inline-flex items-center gap-2 whitespace-nowrap">
          <Mark tone={tone} />
          {words}
        </span>
      );
    },
  },
  {
    id: "age",
    header: "Age",
    align: "end",
    className: "whitespace-nowrap",
    cell: ({ health: { ageSeconds } }) =>
      ageSeconds === null ? "–" : durationText(Math.max(1, Math.round(ageSeconds))),
  },
  {
    id: "duration",
    header: "Took",
    align: "end",
    className: "whitespace-nowrap max-sm:hidden",
    cell: ({ health }) => `${health.durationMs.toLocaleString(undefined, { maximumFractionDigits: 1 })} ms`,
  },
  {
    id: "failures",
    header: "Failures",
    align: "end",
    className: "whitespace-nowrap max-sm:hidden",
    cell: ({ health }) => `${health.failures.toLocaleString()} of ${health.collections.toLocaleString()}`,
  },
  {
    id: "error",
    header: "What is wrong",
    cell: ({ health }) => (
      <span className="block max-w-md text-xs break-words text-muted">{health.error ?? ""}</span>
    ),
  },
];

function actionsColumn(setOpen: (open: Open) => void, remove: (entry: Entry) => void): Column<Row> {
  return {
    id: "actions",
    header: "Actions",
    align: "end",
    cell: ({ entry, name }) => {
      if (entry?.settings == null) return null;
      const draft = draftOf(entry.name, entry.kind, entry.settings);
      const fixed = entry.origin !== "added" && "It is in the server's configuration: change it there.";
      const odd = draft === undefined && "It has settings that this form does not know: change it over HTTP.";
      return (
        <Menu
          label={`Actions for ${name}`}
          trigger={(props) => (
            <IconButton size="small" icon={Ellipsis} label={`Actions for ${name}`} {...props} />
          )}
          items={[
            { label: "Test", icon: FlaskConical, onSelect: () => setOpen({ kind: "test", entry }) },
            {
              label: "Change",
              icon: Pencil,
              blocked: fixed || odd,
              onSelect: () => draft && setOpen({ kind: "form", draft, entry }),
            },
            { label: "Remove", icon: Trash2, danger: true, blocked: fixed, onSelect: () => remove(entry) },
          ]}
        />
      );
    },
  };
}

interface Removal {
  readonly withUndo: (entry: Entry) => Promise<void>;
  readonly forGood: (entry: Entry) => Promise<void>;
}

function useRemoval(): Removal {
  const { add } = useToasts();
  const fail = (title: string, error: unknown): void => {
    add({ title, message: error instanceof ApiError ? error.message : String(error), severity: "error" });
  };
  const forGood = async ({ name }: Entry): Promise<void> => {
    await removeSource(name);
    renewSources();
  };
  const undo = async ({ name, kind, settings }: Entry): Promise<void> => {
    try {
      await addSource({ ...settings, kind, name });
      renewSources();
    } catch (error) {
      fail(`${name} did not come back`, error);
    }
  };
  const withUndo = async (entry: Entry): Promise<void> => {
    try {
      await forGood(entry);
      const action = { label: "Undo", run: () => void undo(entry) };
      add({ title: `${entry.name} was removed`, message: "What is kept of its values stays.", action });
    } catch (error) {
      fail(`${entry.name} was not removed`, error);
    }
  };
  return { withUndo, forGood };
}

function TestDialog({ entry, onClose }: { readonly entry: Entry; readonly onClose: () => void }): ReactNode {
  const [tried, setTried] = useState<Tried>();
  const [error, setError] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const test = (): void => {
    setBusy(true);
    setError(null);
    testSource({ ...entry.settings, kind: entry.kind, name: entry.name })
      .then(setTried, (error: unknown) => error instanceof ApiError && setError(error))
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      shape="small"
      title={`Test ${entry.name}`}
      description="It is asked once; nothing is kept of that."
      footer={
        <Button variant="primary" icon={FlaskConical} busy={isBusy} onClick={test}>
          Ask it now
        </Button>
      }
    >
      <div role="status">{(tried ?? error) && <Outcome tried={tried} error={error} />}</div>
    </Dialog>
  );
}
