/**
 * Adding or changing a source. What it would say is shown before it is kept: by itself for files, and on a press for
 * what asks another machine, so that no half-typed address is asked, and none is told a secret.
 */

import { useQuery } from "@tanstack/react-query";
import { FlaskConical, Plus, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useState } from "react";
import type { ApiError } from "../../api.js";
import { Button, IconButton } from "../../ui/Button.js";
import { Dialog } from "../../ui/Dialog.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Field, Input, Select, TextArea } from "../../ui/Field.js";
import { addSource, changeSource, renewSources, type Table, type Tried, testSource } from "./asking.js";
import {
  type Draft,
  type DraftValue,
  formOf,
  KINDS,
  type KindForm,
  missingIn,
  NEW_VALUE,
  tableOf,
} from "./kinds.js";
import { Outcome } from "./Outcome.js";

export interface SourceDialogProps {
  readonly draft: Draft;
  /** It is there already: its name and kind stay. */
  readonly isKnown: boolean;
  /** Secrets that it has and that stay if they are left out. */
  readonly hidden: readonly string[];
  readonly onClose: () => void;
}

/** So long after the last key it is tried. */
const TYPED_MS = 700;

export function SourceDialog({ draft: first, isKnown, hidden, onClose }: SourceDialogProps): ReactNode {
  const id = useId();
  const [draft, setDraft] = useState(first);
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const form = formOf(draft.kind);
  const missing = missingIn(hidden.length > 0 ? withHidden(draft, hidden) : draft);
  const table = tableOf(draft);

  const keep = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await (isKnown ? changeSource(first.name, table) : addSource(table));
      renewSources();
      onClose();
    } catch (error) {
      setError(error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <Dialog
      open
      onClose={onClose}
      shape="drawer"
      title={isKnown ? `Change ${first.name}` : "Add a source"}
      description={form?.about}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} variant="primary" busy={isBusy} blocked={missing}>
            {isKnown ? "Save" : "Add source"}
          </Button>
        </>
      }
    >
      <form
        id={id}
        className="grid gap-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (missing === "" && !isBusy) void keep();
        }}
      >
        {!isKnown && (
          <Field label="Kind">
            {(control) => (
              <Select
                {...control}
                options={KINDS.map(({ kind, label }) => ({ value: kind, label }))}
                value={draft.kind}
                onChange={(kind) => setDraft({ ...draft, kind })}
              />
            )}
          </Field>
        )}
        {!isKnown && (
          <Field label="Name" hint="In camelCase: letters and digits. It names the source's health too.">
            {(control) => (
              <Input
                {...control}
                value={draft.name}
                placeholder="openOrders"
                spellCheck={false}
                onChange={({ target }) => setDraft({ ...draft, name: target.value })}
              />
            )}
          </Field>
        )}
        {form?.settings.map((setting) => {
          const isHidden = hidden.includes(setting.name === "authorization" ? "headers" : setting.name);
          const Control = setting.isLong ? TextArea : Input;
          return (
            <Field
              key={setting.name}
              label={setting.label}
              hint={isHidden ? "Kept secret; leave it empty to keep it." : setting.hint}
            >
              {(control) => (
                <Control
                  {...control}
                  value={draft.texts[setting.name] ?? ""}
                  placeholder={isHidden ? "unchanged" : setting.placeholder}
                  spellCheck={false}
                  onChange={({ target }: { readonly target: { readonly value: string } }) => {
                    setDraft({ ...draft, texts: { ...draft.texts, [setting.name]: target.value } });
                  }}
                />
              )}
            </Field>
          );
        })}
        {form?.values && (
          <Values form={form} values={draft.values} setValues={(values) => setDraft({ ...draft, values })} />
        )}
        {error !== undefined && <Fault title="The source was not kept." error={error} />}
        <Preview key={draft.kind} table={table} isRemote={form?.isRemote ?? true} missing={missing} />
      </form>
    </Dialog>
  );
}

/** What the server keeps secret is there without being typed. */
function withHidden(draft: Draft, hidden: readonly string[]): Draft {
  const kept = hidden.map((name) => [name, draft.texts[name] || "kept"] as const);
  return { ...draft, texts: { ...draft.texts, ...Object.fromEntries(kept) } };
}

interface ValuesProps {
  readonly form: KindForm;
  readonly values: readonly DraftValue[];
  readonly setValues: (values: readonly DraftValue[]) => void;
}

const KIND_OPTIONS = ["number", "text", "flag", "moment", "list"].map((kind) => ({
  value: kind,
  label: kind,
}));

function Values({ form, values, setValues }: ValuesProps): ReactNode {
  const column = form.values;
  const change = (place: number, changes: Partial<DraftValue>): void => {
    setValues(values.map((value, own) => (own === place ? { ...value, ...changes } : value)));
  };
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 text-xs font-medium">Values</legend>
      {values.length === 0 && form.kind !== "prometheus" && (
        <p className="text-xs text-muted">
          Without any: one number with the source's name, how many elements there are.
        </p>
      )}
      {values.map((value, place) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: a value that is being typed has no other name
          key={place}
          className="grid grid-cols-[1fr_1fr_auto] gap-1.5 rounded-control border border-line p-2"
        >
          <Input
            aria-label={`Name of value ${place + 1}`}
            placeholder="openOrders"
            value={value.name}
            onChange={({ target }) => change(place, { name: target.value })}
          />
          <Input
            aria-label={`${column?.label} of value ${place + 1}`}
            placeholder={column?.placeholder}
            value={value.where}
            onChange={({ target }) => change(place, { where: target.value })}
          />
          <IconButton
            label={`Remove value ${place + 1}`}
            icon={X}
            onClick={() => setValues(values.filter((_, own) => own !== place))}
          />
          {column?.name === "select" && (
            <Select
              aria-label={`Kind of value ${place + 1}`}
              options={KIND_OPTIONS}
              value={value.kind}
              onChange={(kind) => change(place, { kind: kind as DraftValue["kind"] })}
            />
          )}
          <Input
            aria-label={`Unit of value ${place + 1}`}
            placeholder="unit"
            value={value.unit}
            onChange={({ target }) => change(place, { unit: target.value })}
          />
        </div>
      ))}
      <div>
        <Button size="small" icon={Plus} onClick={() => setValues([...values, NEW_VALUE])}>
          Add a value
        </Button>
      </div>
    </fieldset>
  );
}

interface PreviewProps {
  readonly table: Table;
  readonly isRemote: boolean;
  readonly missing: string;
}

function Preview({ table, isRemote, missing }: PreviewProps): ReactNode {
  const text = JSON.stringify(table);
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    if (isRemote || missing !== "") return;
    const timer = setTimeout(() => setWanted(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text, isRemote, missing]);
  const isAsked = wanted === text && missing === "";
  const { data, error, isFetching, refetch } = useQuery<Tried, ApiError>({
    queryKey: ["fusion", "test", wanted],
    queryFn: ({ signal }) => testSource(JSON.parse(wanted), signal),
    enabled: isAsked,
    retry: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const test = (): void => {
    if (isAsked) void refetch();
    else setWanted(text);
  };
  return (
    <section
      aria-label="What it says"
      className="grid gap-2 rounded-control border border-line bg-sunken p-3"
    >
      <header className="flex items-center gap-2">
        <h3 className="text-xs font-medium">What it says</h3>
        <Button
          size="small"
          icon={FlaskConical}
          className="ms-auto"
          busy={isFetching}
          blocked={missing}
          onClick={test}
        >
          Test
        </Button>
      </header>
      <div role="status" className="text-sm">
        {!isAsked && <p className="text-xs text-muted">{missing || "Press Test to ask it once."}</p>}
        {isAsked && (error ?? data) && <Outcome tried={data} error={error} />}
      </div>
    </section>
  );
}
