/** The settings of a source that is not changed here, to be read: what it reads, and what it takes from that. */

import type { ReactNode } from "react";
import { Dialog } from "../../ui/Dialog.js";
import { draftOf } from "./draft.js";
import { formOf, type Setting, type Texts } from "./kinds.js";
import type { Entry } from "./sources.js";

export interface SourceViewProps {
  readonly entry: Entry;
  /** Why it is not changed here. */
  readonly reason: string;
  readonly onClose: () => void;
}

export function SourceView({ entry, reason, onClose }: SourceViewProps): ReactNode {
  const draft = draftOf(entry);
  const form = formOf(draft.kind);
  return (
    <Dialog
      open
      onClose={onClose}
      shape="drawer"
      title={draft.name}
      description={form && `${form.label}. ${form.about}`}
    >
      <div className="grid gap-5 text-sm">
        <p className="text-muted">{reason}</p>
        <Facts settings={form?.settings ?? []} texts={draft.texts} hidden={entry.hidden} />
        {form?.values && (
          <section className="grid gap-2">
            <h3 className="text-xs font-medium">Values</h3>
            {draft.values.length === 0 && <p className="text-xs text-muted">{form.withoutValues}</p>}
            {draft.values.map(({ texts }) => (
              <div key={texts["name"]} className="rounded-control border border-line p-3">
                <Facts settings={form.values ?? []} texts={texts} hidden={[]} />
              </div>
            ))}
          </section>
        )}
      </div>
    </Dialog>
  );
}

interface FactsProps {
  readonly settings: readonly Setting[];
  readonly texts: Texts;
  readonly hidden: readonly string[];
}

/** What is set, and the defaults of numbers, which an empty text stands for. */
function Facts({ settings, texts, hidden }: FactsProps): ReactNode {
  const facts = settings.flatMap(({ name, label, number, options, placeholder }): [string, string][] => {
    const text = texts[name] ?? "";
    if (hidden.includes(name)) return [[label, "kept secret"]];
    if (number) return text || placeholder ? [[label, figureText(text || placeholder || "")]] : [];
    if (text === "") return [];
    return [[label, options?.find(({ value }) => value === text)?.label ?? text]];
  });
  return (
    <dl className="grid gap-2">
      {facts.map(([label, text]) => (
        <div key={label} className="grid gap-x-4 sm:grid-cols-[12rem_1fr]">
          <dt className="text-muted">{label}</dt>
          <dd className="min-w-0 font-medium break-words whitespace-pre-wrap">{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A number as people read it; words, such as "never", as they are. */
function figureText(text: string): string {
  const figure = Number(text);
  return Number.isNaN(figure) ? text : figure.toLocaleString(undefined, { maximumFractionDigits: 6 });
}
