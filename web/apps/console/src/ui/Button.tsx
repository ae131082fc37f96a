/** Buttons with words, and with an icon alone. Each is a native button, at least 24 pixels high. */

import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ComponentProps, ReactNode } from "react";
import { classes } from "./classes.js";
import { Tooltip } from "./Tooltip.js";

type Variant = "primary" | "secondary" | "quiet" | "danger";

const VARIANTS: Readonly<Record<Variant, string>> = {
  primary: "bg-solid text-on-solid border-transparent hover:opacity-90 forced-color-adjust-none",
  secondary: "bg-raised text-text border-line-strong hover:bg-hover",
  quiet: "bg-transparent text-muted border-transparent hover:bg-hover hover:text-text",
  danger: "bg-transparent text-bad border-bad hover:bg-bad hover:text-bg",
};

const SHAPE =
  "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap " +
  "transition-colors aria-disabled:cursor-not-allowed aria-disabled:opacity-55";

interface Looks {
  /** `secondary` by default. */
  readonly variant?: Variant;
  readonly size?: "small" | "medium";
  readonly icon?: LucideIcon;
  /** Something is under way: it turns, and cannot be pressed. */
  readonly busy?: boolean;
  /** Why it cannot be pressed now. It stays reachable, and says so on hover and focus. */
  readonly blocked?: string | false | undefined;
}

export interface ButtonProps extends Looks, ComponentProps<"button"> {
  readonly children: ReactNode;
}

/** ```<Button variant="primary" icon={Plus} onClick={add}>Add source</Button>``` */
export function Button({ children, size = "medium", className, ...rest }: ButtonProps): ReactNode {
  const shape = size === "small" ? "h-control-small px-2 text-xs" : "h-control px-3 text-sm";
  return (
    <Pressable className={classes(shape, className)} iconSize={size === "small" ? 14 : 16} {...rest}>
      {children}
    </Pressable>
  );
}

export interface IconButtonProps extends Omit<Looks, "icon">, Omit<ComponentProps<"button">, "children"> {
  /** What it does, in words: its name, and its tooltip. */
  readonly label: string;
  readonly icon: LucideIcon;
  /** Shown in the tooltip, such as `mod+k`. */
  readonly keys?: string;
}

/** ```<IconButton label="Refresh" icon={RefreshCw} keys="r" onClick={refresh} />``` */
export function IconButton({
  label,
  keys,
  size = "medium",
  variant = "quiet",
  className,
  ...rest
}: IconButtonProps): ReactNode {
  const shape = size === "small" ? "size-control-small" : "size-control";
  return (
    <Tooltip label={rest.blocked || label} keys={keys} isName={!rest.blocked}>
      <Pressable
        aria-label={label}
        variant={variant}
        className={classes(shape, className)}
        iconSize={size === "small" ? 14 : 17}
        {...rest}
      />
    </Tooltip>
  );
}

interface PressableProps extends Looks, ComponentProps<"button"> {
  readonly iconSize: number;
}

function Pressable({
  variant = "secondary",
  size: _,
  icon: Icon,
  iconSize,
  busy = false,
  blocked,
  className,
  children,
  onClick,
  ...rest
}: PressableProps): ReactNode {
  const isOff = busy || Boolean(blocked);
  return (
    <button
      type="button"
      className={classes(SHAPE, VARIANTS[variant], className)}
      aria-disabled={isOff || undefined}
      aria-busy={busy || undefined}
      title={children && blocked ? blocked : undefined}
      onClick={isOff ? (event) => event.preventDefault() : onClick}
      {...rest}
    >
      {busy ? (
        <LoaderCircle size={iconSize} className="motion-safe:animate-spin" />
      ) : (
        Icon && <Icon size={iconSize} />
      )}
      {children}
      {children && blocked && <span className="sr-only"> ({blocked})</span>}
    </button>
  );
}
