/** What a source said when it was asked once: its values, or why there are none. */

import type { ReactNode } from "react";
import type { ApiError } from "../../api.js";
import type { Tried } from "./asking.js";

export function Outcome({
  tried,
  error,
}: {
  readonly tried: Tried | undefined;
  readonly error: ApiError | null;
}): ReactNode {
  const fault = error?.message ?? tried?.error;
  if (fault) return <p className="break-words text-bad">{fault}</p>;
  return (
    <>
      <dl className="grid gap-1">
        {Object.entries(tried?.values ?? {}).map(([name, value]) => (
          <div key={name} className="flex gap-3">
            <dt className="text-muted">{name}</dt>
            <dd className="ms-auto min-w-0 truncate">
              {typeof value === "object" ? JSON.stringify(value) : String(value)}
            </dd>
          </div>
        ))}
      </dl>
      {tried?.hints?.map((hint) => (
        <p key={hint} className="mt-2 text-xs text-muted">
          {hint}
        </p>
      ))}
    </>
  );
}
