/** The kinds of source as the form shows them: every setting that the server knows, in words. Values alone. */

import { KIND_LABELS, type KindName } from "./sources.js";

/** One input. What it is left out of, when it is empty, takes the server's default. */
export interface Setting {
  /** As the server calls it. */
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** An example; of a number, the default. */
  readonly placeholder?: string;
  readonly isNeeded?: boolean;
  /** It is in a folder of the server, which its hint names. */
  readonly isPath?: boolean;
  readonly isLong?: boolean;
  /** The lowest and the highest. */
  readonly number?: readonly [lowest: number, highest: number];
  /** A table, written as a name and a value on each line with this sign between them. */
  readonly pairs?: ":" | "=";
  readonly options?: readonly { readonly value: string; readonly label: string }[];
  /** How it is written, where the server says no more than that it is not. */
  readonly form?: string;
  /** Few need it: it stands under "More settings". */
  readonly isMore?: boolean;
  /** Whether it means anything beside what else is said of a value. */
  readonly applies?: (texts: Texts) => boolean;
}

export type Texts = Readonly<Record<string, string>>;

export interface KindForm {
  readonly kind: KindName;
  readonly label: string;
  readonly about: string;
  readonly settings: readonly Setting[];
  /** What is said of each value, where there may be several. */
  readonly values?: readonly Setting[];
  /** What there is where no value is named; empty if one is needed. */
  readonly withoutValues: string;
  /** Asks another machine, so it is not tried while somebody is still typing where. */
  readonly isRemote: boolean;
}

const PATH: Setting = {
  name: "path",
  label: "File",
  placeholder: "orders.json",
  isPath: true,
  isNeeded: true,
};
const HEADERS: Setting = {
  name: "headers",
  label: "Headers",
  placeholder: "Authorization: Bearer …",
  hint: "What to send along, one on each line. They are kept secret and never shown again.",
  pairs: ":",
  isLong: true,
};
const CERTIFICATES: Setting = {
  name: "ca_file",
  label: "Certificates",
  placeholder: "authorities.pem",
  hint: "A PEM file in the data folder: authorities that are believed beside the system's.",
  isMore: true,
};
const BYTES: readonly [number, number] = [1, Number.MAX_SAFE_INTEGER];
const largest = (hint: string): Setting => ({
  name: "max_bytes",
  label: "Bytes at most",
  placeholder: "16777216",
  hint,
  number: BYTES,
  isMore: true,
});

const often = (every: string): readonly Setting[] => [
  {
    name: "timeout_s",
    label: "Time-out, in seconds",
    placeholder: "5",
    hint: "How long it may take, 300 at most.",
    number: [0.001, 300],
    isMore: true,
  },
  {
    name: "freshness_s",
    label: "Stale after, in seconds",
    placeholder: "never",
    hint: "From this age on its values count as stale.",
    number: [0.001, Number.MAX_VALUE],
    isMore: true,
  },
  {
    name: "every_s",
    label: "Asked at most every … seconds",
    placeholder: every,
    hint: "However often all sources are collected; 0 is each time.",
    number: [0, Number.MAX_VALUE],
    isMore: true,
  },
];
const TIMES = often("0");

/** What asks a server over HTTP. */
const asking = (placeholder: string): readonly Setting[] => [
  { name: "url", label: "Address", placeholder, form: "Begin with https:// or http://.", isNeeded: true },
  HEADERS,
  ...TIMES,
  largest("A larger answer is refused."),
  CERTIFICATES,
];

const UNIT: Setting = { name: "unit", label: "Unit", placeholder: "EUR, ms, orders" };
const NAMED: Setting = { name: "name", label: "Name", placeholder: "openOrders", isNeeded: true };
const KIND: Setting = {
  name: "kind",
  label: "Kind",
  options: [
    { value: "number", label: "number" },
    { value: "text", label: "text" },
    { value: "flag", label: "yes or no" },
    { value: "moment", label: "moment" },
    { value: "list", label: "list" },
  ],
};
const combining = (alone: string): Setting => ({
  name: "combine",
  label: "Several become",
  options: [
    { value: "", label: alone },
    { value: "count", label: "their count" },
    { value: "sum", label: "their sum" },
    { value: "min", label: "the lowest" },
    { value: "max", label: "the highest" },
    { value: "average", label: "their average" },
  ],
});
const isNumber = ({ kind = "number" }: Texts): boolean => kind === "number";
const JSON_VALUES: readonly Setting[] = [
  NAMED,
  { name: "select", label: "Where", placeholder: "$.orders.open" },
  KIND,
  UNIT,
  { ...combining("counted"), applies: (texts) => isNumber(texts) && Boolean(texts["select"]) },
  {
    name: "look_for",
    label: "Looked for",
    options: [
      { value: "", label: "how many there are" },
      { value: "count", label: "a count" },
      { value: "amount", label: "an amount" },
    ],
    applies: (texts) => isNumber(texts) && !texts["select"],
  },
];
const COUNTED = "Without any: one number with the source's name, how many elements there are.";

export const KINDS: readonly KindForm[] = [
  {
    kind: "json_file",
    label: KIND_LABELS.json_file,
    about: "Values in a JSON file, read when it changed.",
    settings: [PATH, ...TIMES, largest("A larger file is refused.")],
    values: JSON_VALUES,
    withoutValues: COUNTED,
    isRemote: false,
  },
  {
    kind: "json_list",
    label: KIND_LABELS.json_list,
    about: "A list in a JSON file, shown as it is.",
    settings: [
      { ...PATH, placeholder: "tasks.json" },
      {
        name: "select",
        label: "Where",
        placeholder: "$.tasks",
        hint: "Empty: the document, or the list in it.",
      },
      { name: "unit", label: "What it lists", placeholder: "tasks" },
      ...TIMES,
      largest("A larger file is refused."),
    ],
    withoutValues: "",
    isRemote: false,
  },
  {
    kind: "log_file",
    label: KIND_LABELS.log_file,
    about: "Values in the last line that matches a pattern; rotation is followed.",
    settings: [
      { ...PATH, placeholder: "backup.log" },
      {
        name: "pattern",
        label: "Pattern",
        placeholder: "(?P<files>\\d+) files",
        hint: "A regular expression with a named group for each value. Empty: the last line that tells a status counts.",
      },
      ...TIMES,
      largest("How far back the line is looked for."),
    ],
    values: [{ ...NAMED, placeholder: "the group's name" }, KIND, UNIT],
    withoutValues:
      "Without any: each group of the pattern is a text; without a pattern, there is the status.",
    isRemote: false,
  },
  {
    kind: "http_json",
    label: KIND_LABELS.http_json,
    about: "Values in a JSON document that a server answers with.",
    settings: asking("https://"),
    values: JSON_VALUES,
    withoutValues: COUNTED,
    isRemote: true,
  },
  {
    kind: "prometheus",
    label: KIND_LABELS.prometheus,
    about: "Numbers of an endpoint in the text format of Prometheus.",
    settings: asking("http://127.0.0.1:9100/metrics"),
    values: [
      NAMED,
      {
        name: "metric",
        label: "Metric",
        placeholder: "node_load1",
        form: "Letters, digits, _ and : alone.",
        isNeeded: true,
      },
      UNIT,
      combining("an error"),
      { name: "labels", label: "Labels", placeholder: "mode=idle", pairs: "=", isLong: true },
    ],
    withoutValues: "",
    isRemote: true,
  },
  {
    kind: "sql",
    label: KIND_LABELS.sql,
    about: "One row, whose columns are the values. The database is opened for reading only.",
    settings: [
      {
        name: "url",
        label: "Database",
        placeholder: "postgresql://user:password@host/database",
        hint: "Or sqlite:///orders.db in the data folder.",
        form: "Begin with postgresql:// or sqlite:///.",
        isNeeded: true,
      },
      {
        name: "query",
        label: "Query",
        placeholder: "select count(*) from orders",
        hint: "It gives one row, whose columns are the values, or rows of a name and a value.",
        isNeeded: true,
        isLong: true,
      },
      ...TIMES,
    ],
    values: [{ ...NAMED, placeholder: "the column's name" }, KIND, UNIT],
    withoutValues: "Without any: one number with the source's name, the first column.",
    isRemote: true,
  },
  {
    kind: "git_activity",
    label: KIND_LABELS.git_activity,
    about: "Commits of the last day and week, and the last one.",
    settings: [
      { ...PATH, label: "Repository", placeholder: "project" },
      {
        name: "branch",
        label: "Branch",
        placeholder: "HEAD",
        hint: "Whose commits are counted.",
        form: "Letters, digits, and . _ / - inside.",
      },
      ...often("60"),
    ],
    withoutValues: "",
    isRemote: false,
  },
];

export const formOf = (kind: string): KindForm | undefined => KINDS.find((form) => form.kind === kind);
