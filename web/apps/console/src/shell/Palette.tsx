/**
 * The command palette: everything that can be done from here, found by a few letters.
 *
 * A combobox over a list box in the browser's own modal dialog: the focus stays in the field, arrow keys move the choice,
 * Enter does it. It offers what `actions.ts` has, so what a role does not allow is not in it.
 */

import { CornerDownLeft, Search } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useRef, useState } from "react";
import { type Action, useAllActions } from "../actions.js";
import { classes } from "../ui/classes.js";
import { Kbd } from "../ui/Kbd.js";
import { useModal } from "../ui/modal.js";
import { found, recentActions, rememberAction } from "./finding.js";

export interface PaletteProps {
  readonly onClose: () => void;
}

export function Palette({ onClose }: PaletteProps): ReactNode {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const all = useAllActions();
  const others = useMemo(() => all.filter(({ id }) => id !== "palette"), [all]);
  const [recent] = useState(recentActions);
  const [query, setQuery] = useState("");
  const [place, setPlace] = useState(0);
  const rows = useMemo(() => found(query, others, recent), [query, others, recent]);
  const chosen = rows[Math.min(place, rows.length - 1)];

  useModal(dialog);
  useEffect(() => {
    if (chosen) list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [chosen]);

  const run = (action: Action): void => {
    onClose();
    rememberAction(action.id);
    setTimeout(action.run); // once the dialog is gone, and the focus back where it was
  };
  const steer = (event: KeyboardEvent): void => {
    const last = rows.length - 1;
    const to = {
      ArrowDown: place >= last ? 0 : place + 1,
      ArrowUp: place <= 0 ? last : place - 1,
      PageDown: Math.min(place + 8, last),
      PageUp: Math.max(place - 8, 0),
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      setPlace(Math.max(to, 0));
    } else if (event.key === "Enter" && chosen && !event.nativeEvent.isComposing) {
      event.preventDefault();
      run(chosen);
    }
  };
  return (
    <dialog
      ref={dialog}
      aria-label="Commands"
      className="moves-rise mx-auto mt-[min(14vh,8rem)] mb-auto w-[38rem] max-w-[calc(100vw-1.5rem)] overflow-hidden rounded-card border border-line-strong bg-surface p-0 text-text shadow-float"
      onMouseDown={({ target }) => target === dialog.current && onClose()}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search size={17} className="text-muted" />
        <input
          autoFocus
          role="combobox"
          aria-label="Find a command"
          aria-expanded="true"
          aria-controls={`${id}-list`}
          aria-activedescendant={chosen && `${id}-${chosen.id}`}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder="Where to, or what to do?"
          className="h-13 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-faint"
          value={query}
          onChange={({ target }) => {
            setQuery(target.value);
            setPlace(0);
          }}
          onKeyDown={steer}
        />
        <Kbd keys="escape" />
      </div>
      <div
        ref={list}
        id={`${id}-list`}
        role="listbox"
        aria-label="Commands"
        className="max-h-[min(24rem,55dvh)] overflow-y-auto p-1.5"
      >
        {rows.map((action) => (
          <Row
            key={action.id}
            id={`${id}-${action.id}`}
            action={action}
            isChosen={action === chosen}
            isRecent={query === "" && recent.includes(action.id)}
            choose={() => setPlace(rows.indexOf(action))}
            run={run}
          />
        ))}
      </div>
      <p role="status" className="px-4 pb-2.5 text-xs text-muted empty:hidden">
        {rows.length === 0 && `Nothing is called “${query}”.`}
      </p>
    </dialog>
  );
}

interface RowProps {
  readonly id: string;
  readonly action: Action;
  readonly isChosen: boolean;
  readonly isRecent: boolean;
  readonly choose: () => void;
  readonly run: (action: Action) => void;
}

function Row({ id, action, isChosen, isRecent, choose, run }: RowProps): ReactNode {
  const { title, group, keys, icon: Icon = CornerDownLeft } = action;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the focus stays in the field, which steers
    <div
      id={id}
      role="option"
      aria-selected={isChosen}
      className={classes(
        "flex h-10 cursor-pointer items-center gap-3 rounded-control px-2.5 text-sm",
        isChosen && "bg-selected",
      )}
      onPointerMove={choose}
      onClick={() => run(action)}
    >
      <Icon size={16} className="shrink-0 text-muted" />
      <span className="truncate">{title}</span>
      <span className="truncate text-xs text-muted max-sm:hidden">{isRecent ? "Recent" : group}</span>
      <span className="ms-auto">{keys && <Kbd keys={keys} />}</span>
    </div>
  );
}
