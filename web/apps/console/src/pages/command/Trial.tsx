/** What a source that is being written would say, asked of the server once, and nothing of it kept. */

import { FlaskConical } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../../api.js";
import { Button } from "../../ui/Button.js";
import { type Table, type Tried, useTried } from "./asking.js";
import { Outcome } from "./Outcome.js";

/** So long after the last key it is tried. */
const TYPED_MS = 700;

export interface TrialState {
  readonly isAsked: boolean;
  readonly isFetching: boolean;
  readonly tried: Tried | undefined;
  readonly error: ApiError | null;
  readonly ask: () => void;
}

/** Files are tried by themselves as long as nothing is missing; whatever asks another machine by `ask` alone. */
export function useTrial(
  table: Table,
  { isRemote, missing }: { readonly isRemote: boolean; readonly missing: string },
): TrialState {
  const text = JSON.stringify(table);
  const [wanted, setWanted] = useState("");
  useEffect(() => {
    if (isRemote || missing !== "") return;
    const timer = setTimeout(() => setWanted(text), TYPED_MS);
    return () => clearTimeout(timer);
  }, [text, isRemote, missing]);
  const isAsked = wanted === text && missing === "";
  const { data, error, isFetching, refetch } = useTried(wanted, isAsked);
  const ask = (): void => {
    if (isAsked) void refetch();
    else setWanted(text);
  };
  return { isAsked, isFetching, tried: isAsked ? data : undefined, error: isAsked ? error : null, ask };
}

export interface TrialProps {
  readonly trial: TrialState;
  readonly missing: string;
  /** What the part of the form is called that the server refused; empty for none. */
  readonly where: string;
}

export function Trial({ trial, missing, where }: TrialProps): ReactNode {
  const { isAsked, isFetching, tried, error, ask } = trial;
  const told = error && where ? new ApiError(error.status, `Look at ${where} above.`) : error;
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
          onClick={ask}
        >
          Test
        </Button>
      </header>
      <div role="status" className="text-sm">
        {!isAsked && <p className="text-xs text-muted">{missing || "Press Test to ask it once."}</p>}
        {(told ?? tried) && <Outcome tried={tried} error={told} />}
      </div>
    </section>
  );
}
