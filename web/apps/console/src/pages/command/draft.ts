/** What is typed into the form of a source, turned into settings and back, and what is wrong with it. Values and rules. */

import type { Table } from "./asking.js";
import { formOf, type Setting, type Texts } from "./kinds.js";
import type { Entry, KindName } from "./sources.js";

export interface DraftValue {
  readonly texts: Texts;
  /** What the form does not know, as it was. */
  readonly rest: Table;
}

export interface Draft {
  readonly kind: KindName;
  readonly name: string;
  readonly texts: Texts;
  readonly values: readonly DraftValue[];
  /** What the form does not know, as it was. */
  readonly rest: Table;
}

export const NEW_VALUE: DraftValue = { texts: {}, rest: {} };
export const EMPTY: Draft = { kind: "json_file", name: "", texts: {}, values: [], rest: {} };

/** Something that is wrong. `at` is `name`, a setting, `fields`, or `fields.0.select`; empty for none of these. */
export interface Problem {
  readonly at: string;
  readonly text: string;
}

/** Whether something was written into a draft or taken out of it; another kind alone is soon chosen again. */
export function isOther(draft: Draft, first: Draft): boolean {
  const textOf = (one: Draft): string => JSON.stringify(tableOf({ ...one, kind: draft.kind }));
  return textOf(draft) !== textOf(first);
}

const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;

/** What keeps the server from being asked. `hidden` are secrets that it has already. */
export function problemIn(
  { kind, name, texts, values }: Draft,
  hidden: readonly string[] = [],
): Problem | undefined {
  if (!NAME.test(name)) return { at: "name", text: "Give it a name in camelCase, such as openOrders." };
  const form = formOf(kind);
  for (const setting of form?.settings ?? []) {
    const text = texts[setting.name]?.trim() || (hidden.includes(setting.name) ? "kept" : "");
    const wrong = text !== "kept" && wrongWith(setting, text);
    if (wrong) return { at: setting.name, text: wrong };
  }
  if (form?.values === undefined) return undefined;
  if (values.length === 0 && form.withoutValues === "")
    return { at: "fields", text: "Add at least one value." };
  for (const [place, value] of values.entries()) {
    if (!NAME.test(value.texts["name"] ?? ""))
      return { at: `fields.${place}.name`, text: "Each value has a name in camelCase." };
    for (const setting of form.values) {
      const wrong = wrongWith(setting, value.texts[setting.name]?.trim() ?? "");
      if (wrong) return { at: `fields.${place}.${setting.name}`, text: wrong };
    }
  }
  return undefined;
}

function wrongWith({ label, isNeeded, number, pairs }: Setting, text: string): string {
  if (text === "") return isNeeded ? `${label} is needed.` : "";
  if (number !== undefined) {
    const [lowest, highest] = number;
    const given = Number(text);
    if (!Number.isFinite(given)) return `${label}: give a number.`;
    if (given < lowest) return `${label}: ${lowest} is the lowest.`;
    if (given > highest) return `${label}: ${highest} is the highest.`;
  }
  if (pairs !== undefined && linesOf(text).some((line) => line.indexOf(pairs) < 1))
    return `${label}: write each as name${pairs === ":" ? ": " : pairs}value.`;
  return "";
}

const linesOf = (text: string): readonly string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** As the server takes it. What is empty is left out, and what is secret with it: then that stays as it was. */
export function tableOf({ kind, name, texts, values, rest }: Draft): Table {
  const form = formOf(kind);
  const columns = form?.values;
  const fields = values.map((value) => ({ ...value.rest, ...givenIn(columns ?? [], value.texts) }));
  return {
    ...rest,
    kind,
    name,
    ...givenIn(form?.settings ?? [], texts),
    ...(columns && fields.length > 0 ? { fields } : {}),
  };
}

function givenIn(settings: readonly Setting[], texts: Texts): Table {
  const given = settings.flatMap((setting): [string, unknown][] => {
    const text = texts[setting.name]?.trim();
    // A table that was emptied by hand is empty; of anything else that means the default.
    if (text === undefined || (text === "" && setting.pairs === undefined)) return [];
    return [[setting.name, settingOf(setting, text)]];
  });
  return Object.fromEntries(given);
}

function settingOf({ number, pairs }: Setting, text: string): unknown {
  if (number !== undefined) return Number(text);
  if (pairs === undefined) return text;
  const parted = linesOf(text).map((line): [string, string] => {
    const at = line.indexOf(pairs);
    const value = line.slice(at + 1).trim();
    return [line.slice(0, at).trim(), pairs === "=" ? value.replace(/^"(.*)"$/, "$1") : value];
  });
  return Object.fromEntries(parted);
}

/** The form of a source that is there; an empty one for a kind that it does not know. */
export function draftOf({ name, kind, settings }: Pick<Entry, "name" | "kind" | "settings">): Draft {
  const form = formOf(kind);
  if (form === undefined) return EMPTY;
  const { fields, name: _, kind: __, ...others } = settings ?? {};
  const { texts, rest } = typed(form.settings, others);
  const tables: readonly Table[] = Array.isArray(fields) ? fields : [];
  return {
    kind: form.kind,
    name,
    texts,
    values: tables.map((table) => typed(form.values ?? [], table)),
    rest,
  };
}

function typed(settings: readonly Setting[], table: Table): DraftValue {
  const entries = Object.entries(table);
  const known = settings.flatMap((setting): [string, string][] => {
    const text = textOf(setting, table[setting.name]);
    return text === "" ? [] : [[setting.name, text]];
  });
  const names = settings.map(({ name }) => name);
  return {
    texts: Object.fromEntries(known),
    rest: Object.fromEntries(entries.filter(([name]) => !names.includes(name))),
  };
}

/** Nothing for what is not set, and for a number that is the default. */
function textOf({ number, pairs, placeholder }: Setting, value: unknown): string {
  if (value === undefined || value === null) return "";
  if (pairs !== undefined) {
    const sign = pairs === ":" ? ": " : pairs;
    return Object.entries(value)
      .map(([name, own]) => `${name}${sign}${String(own)}`)
      .join("\n");
  }
  const text = String(value);
  return number !== undefined && text === placeholder ? "" : text;
}

const PLACED = /^(.*) - at `\$\.(.+)`$/s;
const NAMED = /^((?:fields\[\d+\]\.)?[a-z_]+): (.+)$/s;
const TAKEN = /^(\w+) is a value of the source \w+ already$/;

/** Where what the server refused belongs; `at` is empty where it names nothing that is in the form. */
export function problemFrom(message: string, { kind, name, values }: Draft): Problem {
  const ofValue = (wanted: string | undefined): string => {
    const place = values.findIndex(({ texts }) => texts["name"] === wanted);
    return place < 0 ? "name" : `fields.${place}.name`;
  };
  const placed = PLACED.exec(message);
  if (placed) {
    const [, text = "", path = ""] = placed;
    const at = placeOf(path);
    const setting = settingAt(kind, at);
    const isWritten = text.includes("matching regex") && setting?.form;
    return { at, text: isWritten || sentence(text.replaceAll("`", "")) };
  }
  const taken = TAKEN.exec(message);
  if (taken) return { at: ofValue(taken[1]), text: `${message}.` };
  if (message === `there is a source ${name} already`) return { at: "name", text: sentence(message) };
  const [, option = "", said = ""] = NAMED.exec(message) ?? [];
  const at = placeOf(option);
  return labelAt(kind, at) === "" ? { at: "", text: message } : { at, text: sentence(said) };
}

/** The server's `fields[1].unit` as the form calls it. */
const placeOf = (path: string): string => path.replace(/\[(\d+)\]/g, ".$1");

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** What a place is called in the form; empty for none. */
export function labelAt(kind: string, at: string): string {
  if (at === "name") return "Name";
  if (at === "fields") return "Values";
  return settingAt(kind, at)?.label ?? "";
}

function settingAt(kind: string, at: string): Setting | undefined {
  const form = formOf(kind);
  const column = /^fields\.\d+\.(\w+)$/.exec(at)?.[1];
  const settings = column === undefined ? form?.settings : form?.values;
  return settings?.find(({ name }) => name === (column ?? at));
}
