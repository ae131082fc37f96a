/** Where there is nothing yet: what would be here, and how to get it. With a line to copy where a shell does it. */

import { Check, Copy, type LucideIcon } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { IconButton } from "./Button.js";

export interface EmptyStateProps {
  readonly title: string;
  readonly icon?: LucideIcon;
  readonly children?: ReactNode;
  readonly action?: ReactNode;
}

/** ```<EmptyState icon={Plug} title="No source yet" action={<Button>Add</Button>}><CopyLine>echo …</CopyLine></EmptyState>``` */
export function EmptyState({ title, icon: Icon, children, action }: EmptyStateProps): ReactNode {
  return (
    <div className="mx-auto grid max-w-lg justify-items-center gap-3 px-4 py-10 text-center">
      {Icon && (
        <span className="grid size-11 place-items-center rounded-full border border-line bg-sunken text-muted">
          <Icon size={20} />
        </span>
      )}
      <p className="text-base font-semibold">{title}</p>
      {children && (
        <div className="grid w-full justify-items-center gap-3 text-sm text-balance text-muted">
          {children}
        </div>
      )}
      {action}
    </div>
  );
}

const COPIED_MS = 2_000;

/** A line for a shell, with a button that copies it. */
export function CopyLine({ children }: { readonly children: string }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const line = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => {
    const select = (): void => {
      if (line.current) getSelection()?.selectAllChildren(line.current);
    };
    // Without TLS, and where it is forbidden, there is no clipboard: then the line is selected, for Ctrl-C.
    if (navigator.clipboard === undefined) select();
    else navigator.clipboard.writeText(children).then(() => setCopied(true), select);
  };
  return (
    <div className="flex w-full max-w-full items-center gap-1 rounded-control border border-line bg-sunken ps-3 text-start">
      <code
        ref={line}
        className="min-w-0 flex-1 py-2 font-mono text-xs wrap-anywhere whitespace-pre-wrap text-text"
      >
        {children}
      </code>
      <IconButton label={isCopied ? "Copied" : "Copy"} icon={isCopied ? Check : Copy} onClick={copy} />
      <span role="status" className="sr-only">
        {isCopied && "Copied"}
      </span>
    </div>
  );
}
