/** Small parts that several views of the page share: figures with their names, coverage, filters. */

import { TriangleAlert } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ApiError } from "../../api.js";
import { Input } from "../../ui/Field.js";
import { useIsAway } from "../../useIsAway.js";
import type { Coverage } from "./values.js";
import { countOf } from "./words.js";

export interface FactProps {
  readonly name: string;
  readonly children: ReactNode;
  /** Said on hover. */
  readonly hint?: string;
}

/** In a `<dl>`. */
export function Fact({ name, children, hint }: FactProps): ReactNode {
  return (
    <div className="min-w-0" title={hint}>
      <dt className="truncate text-2xs text-muted">{name}</dt>
      <dd className="truncate text-sm font-medium">{children}</dd>
    </div>
  );
}

/** Says what is missing from an answer; nothing while all nodes answered. */
export function Uncovered({ coverage }: { readonly coverage: Coverage | undefined }): ReactNode {
  const missing = coverage ? coverage.nodes - coverage.answered : 0;
  if (missing <= 0) return null;
  return (
    <p role="status" className="flex items-center gap-2 px-pad py-2 text-xs text-warn">
      <TriangleAlert size={14} className="shrink-0" aria-hidden="true" />
      {countOf(missing, "node")} did not answer: what is shown is without {missing === 1 ? "it" : "them"}.
    </p>
  );
}

/** Says why what is shown is not the newest; nothing while it is, or while the strip over the page says so. */
export function Overdue({ error }: { readonly error: Error | null }): ReactNode {
  const isAway = useIsAway();
  if (error === null || (isAway && error instanceof ApiError && error.status === 0)) return null;
  return (
    <p role="status" className="flex items-center gap-2 px-pad py-2 text-xs text-warn">
      <TriangleAlert size={14} className="shrink-0" aria-hidden="true" />
      This is what was known last. {error.message}
    </p>
  );
}

const WRITING_MS = 300;

export interface FilterInputProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string | undefined;
  readonly onChange: (value: string | undefined) => void;
}

/** Words that a list is filtered by, taken a moment after the last key. */
export function FilterInput({ label, placeholder, value = "", onChange }: FilterInputProps): ReactNode {
  const [words, setWords] = useState(value);
  const told = useRef(value);
  useEffect(() => {
    if (value === told.current) return; // what was written here, coming back
    told.current = value;
    setWords(value);
  }, [value]);
  useEffect(() => {
    if (words.trim() === told.current) return;
    const timer = setTimeout(() => {
      told.current = words.trim();
      onChange(told.current || undefined);
    }, WRITING_MS);
    return () => clearTimeout(timer);
  }, [words, onChange]);
  return (
    <Input
      type="search"
      aria-label={label}
      placeholder={placeholder}
      value={words}
      onChange={({ target }) => setWords(target.value)}
      className="h-control-small text-xs"
    />
  );
}
