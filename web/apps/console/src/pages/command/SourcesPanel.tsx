/** All sources and how they do; for admins also testing, adding, changing and removing them. */

import { Age, useToasts } from "@vagus/react";
import { Ellipsis, FlaskConical, ListTree, Pencil, Plus, Trash2 } from "lucide-react";
import { type ReactNode, useCallback, useMemo, useState } from "react";
import { useActions } from "../../actions.js";
import { ApiError } from "../../api.js";
import { useRole } from "../../session.js";
import { Badge } from "../../ui/Badge.js";
import { Button, IconButton } from "../../ui/Button.js";
import { ConfirmDialog, Unopened } from "../../ui/Dialog.js";
import { loaded } from "../../ui/loaded.js";
import { Mark } from "../../ui/Mark.js";
import { Panel } from "../../ui/Panel.js";
import { Menu } from "../../ui/Popover.js";
import { type Column, Table } from "../../ui/Table.js";
import { Unread } from "../../ui/Unread.js";
import { useIsAway } from "../../useIsAway.js";
import { addSource, removeSource, renewSources, useBook, useHealth } from "./asking.js";
import { titleOf } from "./names.js";
import {
  awaitedIn,
  type Entry,
  isKindName,
  KIND_LABELS,
  nameIn,
  type SourceHealth,
  stateOf,
} from "./sources.js";

/** Few ever open them. */
const SourceDialog = loaded(async () => (await import("./SourceDialog.js")).SourceDialog, Unopened);
const SourceTest = loaded(async () => (await import("./SourceTest.js")).SourceTest, Unopened);
const SourceView = loaded(async () => (await import("./SourceView.js")).SourceView, Unopened);

interface Row {
  readonly name: string;
  readonly health: SourceHealth;
  readonly entry: Entry | undefined;
  readonly isAway: boolean;
}

type Open =
  | { readonly kind: "form"; readonly entry: Entry | undefined }
  | { readonly kind: "view"; readonly entry: Entry; readonly reason: string }
  | { readonly kind: "removal"; readonly entry: Entry }
  | { readonly kind: "test"; readonly entry: Entry; readonly isDemo: boolean };

const ORIGINS = {
  ready: "comes ready",
  application: "of the application",
  configuration: "in the configuration",
  added: "added here",
} as const;
const FIXED = {
  ready: "It comes ready and stays as it is: add one of your own.",
  application: "The server's application made it: change it there.",
  configuration: "It is in the server's configuration: change it there.",
} as const;

export function SourcesPanel(): ReactNode {
  const mayChange = useRole("admin");
  const isAway = useIsAway();
  const query = useHealth();
  const { data: health, dataUpdatedAt } = query;
  const { data: book } = useBook(mayChange, Object.keys(health?.sources ?? {}));
  const [open, setOpen] = useState<Open>();
  const removal = useRemoval();
  const rows = Object.entries(health?.sources ?? {}).map(([name, health]): Row => {
    return { name, health, isAway, entry: book?.sources.find((entry) => entry.name === name) };
  });
  const answering = rows.filter((row) => row.health.available).length;
  const hasActions = rows.some(({ entry }) => entry?.settings != null);
  const close = (): void => setOpen(undefined);
  const add = useCallback(() => setOpen({ kind: "form", entry: undefined }), []);
  useActions(
    useMemo(
      () =>
        mayChange
          ? [{ id: "sources.add", title: "Add a source", group: "Sources", icon: Plus, run: add }]
          : [],
      [mayChange, add],
    ),
  );
  const isWrong = rows.some(({ health }) => health.error !== null);
  const isFailing = rows.some(({ health }) => health.error !== null && health.status !== "waiting");
  const remove = (entry: Entry): void => {
    if (entry.hidden.length > 0) setOpen({ kind: "removal", entry });
    else void removal.withUndo(entry);
  };

  const columns = [
    ...COLUMNS,
    ...(isWrong ? [remarks(isFailing ? "What is wrong" : "What is missing")] : []),
    ...(hasActions ? [actionsColumn(setOpen, remove)] : []),
  ];

  return (
    <Panel
      title="Sources"
      about={health && `${answering} of ${rows.length} answer`}
      at={dataUpdatedAt || null}
      flush
      actions={
        <Button size="small" icon={Plus} blocked={!mayChange && "Only admins may add sources."} onClick={add}>
          Add source
        </Button>
      }
    >
      {health && (
        <div className="px-pad empty:hidden">
          <Unread title="The sources could not be read." query={query} />
        </div>
      )}
      {book?.current === false && (
        <p role="status" className="px-pad pb-2 text-xs text-warn">
          The store does not answer. Settings are as they were when it did, and cannot be changed until it is
          back.
        </p>
      )}
      <Table caption="Sources and how they do" columns={columns} rows={rows} rowKey={({ name }) => name} />
      {open?.kind === "form" && <SourceDialog entry={open.entry} onClose={close} />}
      {open?.kind === "view" && <SourceView entry={open.entry} reason={open.reason} onClose={close} />}
      {open?.kind === "test" && <SourceTest entry={open.entry} isDemo={open.isDemo} onClose={close} />}
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
        <span className="max-w-72 truncate font-medium max-sm:max-w-36" title={titleOf(name)}>
          {titleOf(name)}
        </span>
        {health.demo && <Badge>Demo data</Badge>}
        {entry && (
          <span className="text-xs text-faint">
            {[isKindName(entry.kind) && KIND_LABELS[entry.kind], ORIGINS[entry.origin]]
              .filter(Boolean)
              .join(", ")}
          </span>
        )}
        {/* Phones have no room for a column of it. */}
        {health.error && (
          <span className="w-full text-xs font-normal wrap-anywhere text-muted sm:hidden">
            {remarkOf(health).text}
          </span>
        )}
      </span>
    ),
  },
  {
    id: "status",
    header: "State",
    cell: ({ health: { status }, isAway }) => {
      const { tone, words } = stateOf(status, isAway);
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
    className: "whitespace-nowrap max-sm:hidden",
    cell: ({ health: { asOf } }) => <Age at={asOf === null ? null : Date.parse(asOf)} focusable={false} />,
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
    // What nobody has made yet does not fail.
    cell: ({ health: { status, failures, collections } }) =>
      status === "waiting" ? "–" : `${failures.toLocaleString()} of ${collections.toLocaleString()}`,
  },
];

const remarks = (header: string): Column<Row> => ({
  id: "error",
  header,
  className: "max-sm:hidden",
  cell: ({ health }) => {
    const { text, folder } = remarkOf(health);
    return (
      <div className="max-w-md text-xs wrap-anywhere text-muted">
        {text} {folder && <span className="block break-all text-faint">in {folder}</span>}
      </div>
    );
  },
});

interface Remark {
  readonly text: string;
  /** Where the file should be that is waited for. */
  readonly folder?: string;
}

/** What is wrong with a source, or what it waits for. */
function remarkOf({ status, error }: SourceHealth): Remark {
  const awaited = status === "waiting" ? awaitedIn(error ?? "") : undefined;
  if (awaited === undefined) return { text: error ?? "" };
  const name = nameIn(awaited);
  return { text: `Waits for ${name}`, folder: awaited.slice(0, -name.length - 1) };
}

function actionsColumn(setOpen: (open: Open) => void, remove: (entry: Entry) => void): Column<Row> {
  return {
    id: "actions",
    header: "Actions",
    align: "end",
    cell: ({ entry, name, health }) => {
      if (entry?.settings == null) return null;
      const isKnown = isKindName(entry.kind);
      const fixed = entry.origin !== "added" && FIXED[entry.origin];
      const odd = !isKnown && "It is of a kind that this form does not know: change it over HTTP.";
      return (
        <Menu
          label={`Actions for ${name}`}
          trigger={(props) => (
            <IconButton size="small" icon={Ellipsis} label={`Actions for ${name}`} {...props} />
          )}
          items={[
            {
              label: "Test",
              icon: FlaskConical,
              onSelect: () => setOpen({ kind: "test", entry, isDemo: health.demo }),
            },
            ...(fixed && isKnown
              ? [
                  {
                    label: "Settings",
                    icon: ListTree,
                    onSelect: () => setOpen({ kind: "view", entry, reason: fixed }),
                  },
                ]
              : []),
            {
              label: "Change",
              icon: Pencil,
              blocked: fixed || odd,
              onSelect: () => setOpen({ kind: "form", entry }),
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
  const forGood = async (entry: Entry): Promise<void> => {
    try {
      await removeSource(entry);
    } finally {
      renewSources();
    }
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
