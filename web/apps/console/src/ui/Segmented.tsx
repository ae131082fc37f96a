/** One of a few, all of them seen: a range of time, a theme. Native radio buttons, so arrow keys move. */

import type { LucideIcon } from "lucide-react";
import { type ReactNode, useId } from "react";

export interface SegmentedProps<Value extends string> {
  /** What is chosen, in words. */
  readonly label: string;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly icon?: LucideIcon }[];
  readonly value: Value;
  readonly onChange: (value: Value) => void;
}

/** ```<Segmented label="Range" options={[{ value: "1h", label: "1 h" }]} value={range} onChange={setRange} />``` */
export function Segmented<Value extends string>({
  label,
  options,
  value,
  onChange,
}: SegmentedProps<Value>): ReactNode {
  const name = useId();
  return (
    <fieldset className="inline-flex max-w-full justify-self-start overflow-x-auto rounded-control border border-line bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map(({ value: own, label: words, icon: Icon }) => (
        <label
          key={own}
          className="relative inline-flex h-control-small min-w-7 cursor-pointer items-center justify-center gap-1.5 rounded px-2 text-xs font-medium whitespace-nowrap text-muted hover:text-text has-checked:bg-selected has-checked:text-text has-checked:ring-1 has-checked:ring-control-line has-checked:ring-inset has-focus-visible:outline-2 has-focus-visible:outline-accent"
        >
          <input
            type="radio"
            name={name}
            value={own}
            checked={own === value}
            onChange={() => onChange(own)}
            className="absolute inset-0 cursor-pointer opacity-0"
          />
          {Icon && <Icon size={14} />}
          {words}
        </label>
      ))}
    </fieldset>
  );
}
