/** What a person fills in: a label, a hint and an error around one control, tied together for screen readers. */

import { type ComponentProps, type ReactNode, useId } from "react";
import { classes } from "./classes.js";

/** What `Field` hands to its control. */
export interface ControlProps {
  readonly id: string;
  readonly "aria-describedby": string | undefined;
  readonly "aria-invalid": true | undefined;
}

export interface FieldProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  /** What is wrong with it, and what to do. */
  readonly error?: string | false | undefined;
  readonly children: (control: ControlProps) => ReactNode;
  readonly className?: string;
}

/** ```<Field label="Name" error={error}>{(control) => <Input {...control} value={name} onChange={…} />}</Field>``` */
export function Field({ label, hint, error, children, className }: FieldProps): ReactNode {
  const id = useId();
  const hintId = hint ? `${id}-hint` : "";
  const errorId = error ? `${id}-error` : "";
  return (
    <div className={classes("grid gap-1.5", className)}>
      <label htmlFor={id} className="text-xs font-medium">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": `${hintId} ${errorId}`.trim() || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {hint && (
        <p id={hintId} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={errorId} className="text-xs font-medium text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

const CONTROL =
  "w-full rounded-control border border-control-line bg-field px-2.5 text-sm text-text placeholder:text-faint " +
  "aria-invalid:border-bad disabled:opacity-55";

export function Input({ className, ...rest }: ComponentProps<"input">): ReactNode {
  return <input className={classes(CONTROL, "h-control", className)} autoComplete="off" {...rest} />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">): ReactNode {
  return <textarea className={classes(CONTROL, "min-h-20 py-2", className)} {...rest} />;
}

export interface SelectProps<Value extends string>
  extends Omit<ComponentProps<"select">, "value" | "onChange" | "children"> {
  readonly options: readonly { readonly value: Value; readonly label: string; readonly disabled?: boolean }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** The browser's own; in a `Field`, or with an `aria-label`. */
export function Select<Value extends string>({
  options,
  value,
  onChange,
  className,
  ...rest
}: SelectProps<Value>): ReactNode {
  const choose = (text: string): void => {
    const chosen = options.find((option) => option.value === text);
    if (chosen) onChange(chosen.value);
  };
  return (
    <select
      className={classes(CONTROL, "h-control pe-7", className)}
      value={value}
      onChange={({ target }) => choose(target.value)}
      {...rest}
    >
      {options.map(({ value, label, disabled }) => (
        <option key={value} value={value} disabled={disabled} className="bg-raised text-text">
          {label}
        </option>
      ))}
    </select>
  );
}

export interface SwitchProps {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly disabled?: boolean;
}

export function Switch({ label, hint, checked, onChange, disabled }: SwitchProps): ReactNode {
  const id = useId();
  return (
    <div className="flex items-center justify-between gap-4">
      <div id={id}>
        <p className="text-sm">{label}</p>
        {hint && <p className="text-xs text-muted">{hint}</p>}
      </div>
      <button
        type="button"
        role="switch"
        aria-checked={checked}
        aria-labelledby={id}
        disabled={disabled}
        onClick={() => onChange(!checked)}
        className="relative h-6 w-10 shrink-0 rounded-full border border-control-line bg-sunken transition-colors aria-checked:border-transparent aria-checked:bg-accent"
      >
        <span
          className={classes(
            "absolute inset-y-0.5 start-0.5 w-[18px] rounded-full transition-transform",
            checked
              ? "translate-x-4 bg-bg forced-colors:bg-[SelectedItemText]"
              : "bg-control-line forced-colors:bg-[ButtonText]",
          )}
        />
      </button>
    </div>
  );
}
