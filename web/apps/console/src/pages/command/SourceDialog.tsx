/**
 * Adding or changing a source. What it would say is shown before it is kept: by itself for files, and on a press for
 * what asks another machine, so that no half-typed address is asked, and none is told a secret.
 */

import { Plus, TriangleAlert, X } from "lucide-react";
import { type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api.js";
import { Button, IconButton } from "../../ui/Button.js";
import { Dialog } from "../../ui/Dialog.js";
import { Fault } from "../../ui/ErrorBoundary.js";
import { Field, Input, Select, Switch } from "../../ui/Field.js";
import { addSource, changeSource, renewSources, useBookNow } from "./asking.js";
import {
  type Draft,
  type DraftValue,
  draftOf,
  EMPTY,
  isOther,
  labelAt,
  NEW_VALUE,
  type Problem,
  problemFrom,
  problemIn,
  tableOf,
} from "./draft.js";
import { formOf, KINDS, type KindForm } from "./kinds.js";
import { SettingField } from "./SettingField.js";
import type { Entry } from "./sources.js";
import { Trial, useTrial } from "./Trial.js";

const NONE: readonly string[] = [];

export interface SourceDialogProps {
  /** The one that is changed, whose name and kind stay; `undefined` for a new one. */
  readonly entry: Entry | undefined;
  readonly onClose: () => void;
}

export function SourceDialog({ entry, onClose }: SourceDialogProps): ReactNode {
  const id = useId();
  const form = useRef<HTMLFormElement>(null);
  const [seen, setSeen] = useState(entry);
  const first = useMemo(() => (seen ? draftOf(seen) : EMPTY), [seen]);
  const [draft, setDraft] = useState(first);
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  const isUnsaved = isOther(draft, first);
  const { data: book, refetch: lookAnew } = useBookNow();
  const present = seen && book?.sources.find(({ name }) => name === seen.name);
  const isRemoved = seen !== undefined && book !== undefined && present === undefined;
  const isOverwriting = present !== undefined && present.version !== seen?.version && !isBusy;
  const isKnown = seen !== undefined;
  const hidden = isRemoved ? NONE : (seen?.hidden ?? NONE);
  const kind = formOf(draft.kind);
  const missing = problemIn(draft, hidden);
  const table = tableOf(draft);
  const trial = useTrial(table, { isRemote: kind?.isRemote ?? true, missing: missing?.text ?? "" });
  const refusal = error ?? trial.error;
  const problem = refusal ? problemFrom(refusal.message, draft) : typedProblem(draft, missing);
  const errorAt = (at: string): string | undefined => (problem?.at === at ? problem.text : undefined);
  const isPlaced = problem !== undefined && labelAt(draft.kind, problem.at) !== "";

  const change = (changes: Partial<Draft>): void => {
    setError(undefined);
    setDraft({ ...draft, ...changes });
  };
  const keep = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await (seen && !isRemoved ? changeSource(seen, table) : addSource(table));
      renewSources();
      onClose();
    } catch (error) {
      const isOld = error instanceof ApiError && (error.status === 412 || error.status === 404);
      const now = isOld ? await lookAnew() : undefined;
      // Whoever was quicker is told of above the form, where that is known.
      if (!(now?.isSuccess && now.data.current))
        setError(error instanceof Error ? error : new Error(String(error)));
    } finally {
      setBusy(false);
    }
  };
  const takeTheirs = (theirs: Entry): void => {
    setError(undefined);
    setSeen(theirs);
    setDraft(draftOf(theirs));
  };
  // Who has typed nothing has nothing to choose.
  useEffect(() => {
    if (!isOverwriting || isUnsaved || present === undefined) return;
    setSeen(present);
    setDraft(draftOf(present));
  }, [isOverwriting, isUnsaved, present]);
  // What was refused is shown at its field, which may be out of sight or folded away.
  useEffect(() => {
    const wrong = error && form.current?.querySelector<HTMLElement>("[aria-invalid=true]");
    wrong?.closest("details")?.setAttribute("open", "");
    wrong?.focus();
  }, [error]);

  const fields = (isMore: boolean): ReactNode =>
    kind?.settings
      .filter((setting) => (setting.isMore ?? false) === isMore)
      .map((setting) => {
        const { name } = setting;
        const isHidden = hidden.includes(name);
        const isKept = isHidden && setting.pairs !== undefined && draft.texts[name] === undefined;
        const set = (text: string | undefined): void => {
          const { [name]: _, ...others } = draft.texts;
          change({ texts: text === undefined ? others : { ...others, [name]: text } });
        };
        return (
          <div key={name} className="grid gap-2">
            {isHidden && setting.pairs !== undefined && (
              <Switch
                label={`Keep the ${setting.label.toLowerCase()} that it has`}
                hint="They are secret, so they are not shown."
                checked={isKept}
                onChange={(isKept) => set(isKept ? undefined : "")}
              />
            )}
            {!isKept && (
              <SettingField
                setting={setting}
                text={draft.texts[name] ?? ""}
                error={errorAt(name)}
                isKept={isHidden && setting.pairs === undefined}
                onChange={set}
              />
            )}
          </div>
        );
      });
  const more = kind?.settings.filter(({ isMore }) => isMore) ?? [];
  const obstacle = isOverwriting && isUnsaved ? "Choose first which settings should stay." : missing?.text;
  const isMoreUsed = more.some(({ name }) => Boolean(draft.texts[name] || errorAt(name)));

  return (
    <Dialog
      open
      onClose={onClose}
      shape="drawer"
      unsaved={isUnsaved}
      title={seen ? `Change ${seen.name}` : "Add a source"}
      description={kind?.about}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} variant="primary" busy={isBusy} blocked={obstacle}>
            {isKnown ? "Save" : "Add source"}
          </Button>
        </>
      }
    >
      <form
        ref={form}
        id={id}
        className="grid gap-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (obstacle === undefined && !isBusy) void keep();
        }}
      >
        {isOverwriting && isUnsaved && (
          <Notice title="Somebody else changed it meanwhile.">
            <p>What you typed is still here. Which settings should stay?</p>
            <div className="flex flex-wrap gap-2">
              <Button size="small" onClick={() => takeTheirs(present)}>
                Show theirs, drop mine
              </Button>
              <Button size="small" onClick={() => setSeen(present)}>
                Go on with mine
              </Button>
            </div>
          </Notice>
        )}
        {isRemoved && (
          <Notice title="Somebody else removed it meanwhile.">
            <p>Save adds it again, as it is here. What was kept secret in it has to be given anew.</p>
          </Notice>
        )}
        {book?.current === false && (
          <Notice title="The store does not answer.">
            <p>Settings are as they were when it did. Nothing can be saved until it is back.</p>
          </Notice>
        )}
        {!isKnown && (
          <Field label="Kind">
            {(control) => (
              <Select
                {...control}
                options={KINDS.map(({ kind, label }) => ({ value: kind, label }))}
                value={draft.kind}
                onChange={(kind) => change({ kind })}
              />
            )}
          </Field>
        )}
        {!isKnown && (
          <Field
            label="Name"
            hint="In camelCase: letters and digits. It names the source's health too."
            error={errorAt("name")}
          >
            {(control) => (
              <Input
                {...control}
                value={draft.name}
                placeholder="openOrders"
                spellCheck={false}
                onChange={({ target }) => change({ name: target.value })}
              />
            )}
          </Field>
        )}
        {fields(false)}
        {kind?.values && (
          <Values
            form={kind}
            columns={kind.values}
            values={draft.values}
            setValues={(values) => change({ values })}
            errorAt={errorAt}
          />
        )}
        <More key={draft.kind} isUsed={isMoreUsed}>
          {fields(true)}
        </More>
        {error && !isPlaced && <Fault title="The source was not kept." error={error} />}
        <Trial trial={trial} missing={missing?.text ?? ""} where={labelAt(draft.kind, problem?.at ?? "")} />
      </form>
    </Dialog>
  );
}

/** What happened while somebody was typing. */
function Notice({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <div role="alert" className="grid gap-2 rounded-control border border-warn/50 p-3 text-sm">
      <p className="flex items-center gap-2 font-medium">
        <TriangleAlert size={16} className="shrink-0 text-warn" />
        {title}
      </p>
      <div className="grid gap-2 text-muted">{children}</div>
    </div>
  );
}

/** What is wrong with something that was typed; what is merely missing is said by the button. */
function typedProblem(draft: Draft, missing: Problem | undefined): Problem | undefined {
  if (missing === undefined) return undefined;
  const [, place, column = ""] = /^fields\.(\d+)\.(\w+)$/.exec(missing.at) ?? [];
  const texts = place === undefined ? draft.texts : draft.values[Number(place)]?.texts;
  const text = missing.at === "name" ? draft.name : texts?.[place === undefined ? missing.at : column];
  return text ? missing : undefined;
}

/** It opens where something in it is set or wrong; else it is the person's to open and close. */
function More({ isUsed, children }: { readonly isUsed: boolean; readonly children: ReactNode }): ReactNode {
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    if (isUsed) details.current?.setAttribute("open", "");
  }, [isUsed]);
  return (
    <details ref={details} className="rounded-control border border-line">
      <summary className="rounded-control px-3 py-2 text-xs font-medium">More settings</summary>
      <div className="grid gap-4 border-t border-line p-3">{children}</div>
    </details>
  );
}

interface ValuesProps {
  readonly form: KindForm;
  readonly columns: NonNullable<KindForm["values"]>;
  readonly values: readonly DraftValue[];
  readonly setValues: (values: readonly DraftValue[]) => void;
  readonly errorAt: (at: string) => string | undefined;
}

function Values({ form, columns, values, setValues, errorAt }: ValuesProps): ReactNode {
  const change = (place: number, name: string, text: string): void => {
    setValues(
      values.map((value, own) =>
        own === place ? { ...value, texts: { ...value.texts, [name]: text } } : value,
      ),
    );
  };
  const error = errorAt("fields");
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 text-xs font-medium">Values</legend>
      {values.length === 0 && form.withoutValues && (
        <p className="text-xs text-muted">{form.withoutValues}</p>
      )}
      {error && <p className="text-xs font-medium text-bad">{error}</p>}
      {values.map(({ texts }, place) => (
        <div
          // biome-ignore lint/suspicious/noArrayIndexKey: a value that is being typed has no other name
          key={place}
          className="flex items-start gap-2 rounded-control border border-line p-3"
        >
          <div className="grid min-w-0 flex-1 gap-3 sm:grid-cols-2">
            {columns
              .filter(({ name, applies }) => texts[name] || (applies?.(texts) ?? true))
              .map((setting) => (
                <SettingField
                  key={setting.name}
                  setting={setting}
                  of={`value ${place + 1}`}
                  text={texts[setting.name] ?? ""}
                  error={errorAt(`fields.${place}.${setting.name}`)}
                  onChange={(text) => change(place, setting.name, text)}
                />
              ))}
          </div>
          <IconButton
            label={`Remove value ${place + 1}`}
            icon={X}
            size="small"
            onClick={() => setValues(values.filter((_, own) => own !== place))}
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
