/**
 * Something that opens beside a button and leaves the page usable, and a menu of things to do.
 *
 * The browser's own popover in its top layer, placed by CSS anchors (theme.css, `.float`): Escape and a click beside it
 * close it. Where a browser has no anchors it stands in the middle of the page.
 */

import { Check, type LucideIcon } from "lucide-react";
import {
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { classes } from "./classes.js";
import { Kbd } from "./Kbd.js";

export interface TriggerProps {
  readonly onClick: () => void;
  readonly "aria-expanded": boolean;
  readonly "aria-haspopup": "dialog" | "menu";
  readonly "aria-controls": string;
}

type Placement = "bottom-end" | "bottom-start" | "top-start" | "right-end";

interface FloatProps {
  readonly role: "dialog" | "menu";
  readonly label: string;
  readonly trigger: (props: TriggerProps) => ReactNode;
  readonly placement: Placement;
  readonly className: string;
  readonly onKeyDown?: (event: KeyboardEvent<HTMLDivElement>) => void;
  readonly children: (close: () => void) => ReactNode;
}

export interface PopoverProps {
  /** What is in it, in words. */
  readonly label: string;
  /** The button; it takes what it is given. */
  readonly trigger: (props: TriggerProps) => ReactNode;
  /** `bottom-end` by default. */
  readonly placement?: Placement;
  readonly className?: string;
  /** Rendered while it is open. */
  readonly children: (close: () => void) => ReactNode;
}

/** ```<Popover label="Filters" trigger={(props) => <Button {...props}>Filters</Button>}>{(close) => …}</Popover>``` */
export function Popover({
  placement = "bottom-end",
  className = "w-80 p-3",
  ...rest
}: PopoverProps): ReactNode {
  return <Float role="dialog" placement={placement} className={className} {...rest} />;
}

export interface MenuItem {
  readonly label: string;
  readonly onSelect: () => void;
  readonly icon?: LucideIcon;
  readonly keys?: string;
  /** For one that is switched on and off, or chosen of several. */
  readonly checked?: boolean;
  readonly danger?: boolean;
  /** Why it cannot be done now. */
  readonly blocked?: string | false;
}

export interface MenuProps extends Pick<PopoverProps, "label" | "trigger" | "placement"> {
  /** `null` is a line between two groups. */
  readonly items: readonly (MenuItem | null)[];
  /** Stands above the items. */
  readonly header?: ReactNode;
}

/** ```<Menu label="Source" trigger={(props) => <IconButton label="More" icon={Ellipsis} {...props} />} items={[…]} />``` */
export function Menu({ items, header, placement = "bottom-end", ...rest }: MenuProps): ReactNode {
  const move = (event: KeyboardEvent<HTMLDivElement>): void => {
    const all = [...event.currentTarget.querySelectorAll<HTMLElement>("[role^=menuitem]")];
    const here = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all.at(to % all.length)?.focus();
  };
  return (
    <Float role="menu" placement={placement} className="min-w-52 p-1" onKeyDown={move} {...rest}>
      {(close) => (
        <>
          {header && <div className="px-2 py-1.5">{header}</div>}
          {items.map((item, place) =>
            item === null ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines are alike
              <hr key={`line-${place}`} className="my-1 border-line" />
            ) : (
              <Item key={item.label} item={item} close={close} />
            ),
          )}
        </>
      )}
    </Float>
  );
}

function Item({ item, close }: { readonly item: MenuItem; readonly close: () => void }): ReactNode {
  const { label, onSelect, icon: Icon, keys, checked, danger, blocked } = item;
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: the role that is checked is that of what can be
    <button
      type="button"
      role={checked === undefined ? "menuitem" : "menuitemcheckbox"}
      aria-checked={checked}
      aria-disabled={Boolean(blocked) || undefined}
      title={blocked || undefined}
      tabIndex={-1}
      className={classes(
        "flex h-8 w-full items-center gap-2.5 rounded-control px-2 text-start text-sm outline-offset-[-2px] hover:bg-hover focus:bg-hover aria-disabled:opacity-50",
        danger && "text-bad",
      )}
      onClick={() => {
        if (blocked) return;
        close();
        onSelect();
      }}
    >
      {Icon && <Icon size={15} className={danger ? "" : "text-muted"} />}
      <span className="flex-1">{label}</span>
      {checked && <Check size={15} />}
      {keys && <Kbd keys={keys} />}
    </button>
  );
}

function Float({ role, label, trigger, placement, className, onKeyDown, children }: FloatProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const anchor = `--float-${id.replace(/\W/g, "")}`;
  const root = useRef<HTMLSpanElement>(null);
  const float = useRef<HTMLDivElement>(null);
  const close = (): void => {
    root.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus();
    setOpen(false);
  };
  const closeOnLeaving = (next: EventTarget | null): void => {
    if (next instanceof Node && !root.current?.contains(next)) setOpen(false);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what bubbles up from the button and the popover
    <span
      ref={root}
      className="inline-flex"
      style={{ anchorName: anchor }}
      onBlur={({ relatedTarget }) => closeOnLeaving(relatedTarget)}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !isOpen) return;
        event.stopPropagation();
        event.preventDefault();
        close();
      }}
    >
      {trigger({
        onClick: () => setOpen(!isOpen),
        "aria-expanded": isOpen,
        "aria-haspopup": role,
        "aria-controls": id,
      })}
      {isOpen && (
        <OpenFloat root={root} float={float} dismiss={() => setOpen(false)}>
          {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole lint/a11y/noStaticElementInteractions: its role is a dialog or a menu */}
          <div
            ref={float}
            id={id}
            role={role}
            aria-label={label}
            tabIndex={-1}
            popover="manual"
            data-placement={placement}
            className={classes(
              "float moves-rise overflow-auto outline-none rounded-card border border-line-strong bg-raised text-text shadow-float",
              className,
            )}
            style={{ positionAnchor: anchor }}
            onKeyDown={onKeyDown}
          >
            {children(close)}
          </div>
        </OpenFloat>
      )}
    </span>
  );
}

interface OpenFloatProps {
  readonly root: RefObject<HTMLElement | null>;
  readonly float: RefObject<HTMLElement | null>;
  readonly dismiss: () => void;
  readonly children: ReactNode;
}

/** Shows what is in it, puts the focus there, and has a press beside it dismiss it. */
function OpenFloat({ root, float, dismiss, children }: OpenFloatProps): ReactNode {
  const dismissing = useRef(dismiss);
  useEffect(() => {
    float.current?.showPopover();
    const first = float.current?.querySelector<HTMLElement>("[role^=menuitem], [autofocus]");
    (first ?? float.current)?.focus();
    const dismissBeside = ({ target }: Event): void => {
      if (target instanceof Node && !root.current?.contains(target)) dismissing.current();
    };
    document.addEventListener("pointerdown", dismissBeside);
    return () => document.removeEventListener("pointerdown", dismissBeside);
  }, [root, float]);
  return children;
}
