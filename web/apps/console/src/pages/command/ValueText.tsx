/** A value of any kind in a line of text. */

import { Age } from "@vagus/react";
import type { ReactNode } from "react";
import { numberText } from "../../charts/format.js";
import { Mark, type Tone } from "../../ui/Mark.js";
import { figureOf } from "./pulses.js";
import { type Field, unitOf } from "./sources.js";

const WORDS: Readonly<Record<string, Tone>> = {
  ok: "good",
  warning: "warn",
  running: "unknown",
  error: "bad",
};

/** How a text sounds that says how something does; `undefined` for any other. */
export const toneOf = (text: string): Tone | undefined => WORDS[text.toLowerCase()];

export function ValueText({ field, value }: { readonly field: Field; readonly value: unknown }): ReactNode {
  if (value === null || value === undefined) return <span className="text-faint">unknown</span>;
  if (field.kind === "moment")
    return <Age at={typeof value === "string" ? Date.parse(value) : Number(value)} />;
  if (field.kind === "flag") return value === true ? "yes" : "no";
  const figure = figureOf(value);
  if (figure !== null) return numberText(figure, unitOf(field));
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const tone = toneOf(text);
  if (tone === undefined) return text;
  return (
    <span className="inline-flex items-baseline gap-2">
      <span className="inline-flex self-center">
        <Mark tone={tone} />
      </span>
      {text}
    </span>
  );
}
