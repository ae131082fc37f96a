/** A value of any kind in a line of text. */

import { Age } from "@vagus/react";
import type { ReactNode } from "react";
import { momentText, numberText } from "../../charts/format.js";
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

/** What is further ahead is a date that comes, or of a clock that is wrong; in any case it is not now. */
const COMING_MS = 60_000;

/** From so many characters on, a text is cut off after some lines. */
const LONG = 120;

function Long({ text }: { readonly text: string }): ReactNode {
  return (
    <span className="line-clamp-4 text-sm font-normal tracking-normal" title={text}>
      {text}
    </span>
  );
}

export function ValueText({ field, value }: { readonly field: Field; readonly value: unknown }): ReactNode {
  if (value === null || value === undefined) return <span className="text-faint">unknown</span>;
  if (field.kind === "moment") {
    const at = typeof value === "string" ? Date.parse(value) : Number(value);
    return at - Date.now() > COMING_MS ? momentText(at) : <Age at={at} />;
  }
  if (field.kind === "flag") return value === true ? "yes" : "no";
  const figure = figureOf(value);
  if (figure !== null) return numberText(figure, unitOf(field));
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const tone = toneOf(text);
  if (tone === undefined) return text.length > LONG ? <Long text={text} /> : text;
  return (
    <span className="inline-flex items-baseline gap-2">
      <span className="inline-flex self-center">
        <Mark tone={tone} />
      </span>
      {text}
    </span>
  );
}
