/** The input of one setting of a source: a line, a text, a number, or one of a few. */

import type { ReactNode } from "react";
import { Field, Input, Select, TextArea } from "../../ui/Field.js";
import { useFolder } from "./asking.js";
import type { Setting } from "./kinds.js";

export interface SettingFieldProps {
  readonly setting: Setting;
  readonly text: string;
  readonly error: string | undefined;
  /** Whose it is, where several look alike, such as "value 1". */
  readonly of?: string;
  /** A secret that stays if nothing is typed. */
  readonly isKept?: boolean;
  readonly onChange: (text: string) => void;
}

export function SettingField({
  setting,
  text,
  error,
  of,
  isKept = false,
  onChange,
}: SettingFieldProps): ReactNode {
  const { label, number, isLong, options, isPath = false } = setting;
  const folder = useFolder(isPath) ?? "the server's data folder";
  const hint = isPath ? `A path in ${folder}.` : setting.hint;
  const placeholder = isKept ? "unchanged" : setting.placeholder;
  return (
    <Field
      label={
        <>
          {label}
          {of && <span className="sr-only"> of {of}</span>}
        </>
      }
      hint={isKept ? "Kept secret; leave it empty to keep it." : hint}
      error={error}
    >
      {(control) => {
        if (options) return <Select {...control} options={options} value={text} onChange={onChange} />;
        if (isLong) {
          return (
            <TextArea
              {...control}
              className="font-mono text-xs"
              rows={2}
              value={text}
              placeholder={placeholder}
              spellCheck={false}
              onChange={({ target }) => onChange(target.value)}
            />
          );
        }
        return (
          <Input
            {...control}
            {...(number && { type: "number", min: number[0], max: number[1], step: "any" })}
            value={text}
            placeholder={placeholder}
            spellCheck={false}
            onChange={({ target }) => onChange(target.value)}
          />
        );
      }}
    </Field>
  );
}
