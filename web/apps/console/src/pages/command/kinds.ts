/** The kinds of source as the form shows them, and what is typed there turned into settings and back. Values and rules. */

import type { Table } from "./asking.js";

export type KindName =
  | "json_file"
  | "json_list"
  | "log_file"
  | "http_json"
  | "prometheus"
  | "sql"
  | "git_activity";

export interface Setting {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly isNeeded?: boolean;
  readonly isLong?: boolean;
}

export interface KindForm {
  readonly kind: KindName;
  readonly label: string;
  readonly about: string;
  readonly settings: readonly Setting[];
  /** How a value is found, where there may be several: the name and label of that column. */
  readonly values?: {
    readonly name: "select" | "metric";
    readonly label: string;
    readonly placeholder: string;
  };
  /** Asks another machine, so it is not tried while somebody is still typing where. */
  readonly isRemote: boolean;
}

const PATH: Setting = {
  name: "path",
  label: "File",
  placeholder: "orders.json",
  hint: "In the server's data folder.",
  isNeeded: true,
};
const AUTHORIZATION: Setting = {
  name: "authorization",
  label: "Authorization header",
  placeholder: "Bearer …",
  hint: "Kept secret: it is never shown again.",
};

export const KINDS: readonly KindForm[] = [
  {
    kind: "json_file",
    label: "JSON file",
    about: "Values in a JSON file, read when it changed.",
    settings: [PATH],
    values: { name: "select", label: "Where", placeholder: "$.orders.open" },
    isRemote: false,
  },
  {
    kind: "json_list",
    label: "JSON list",
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
    ],
    isRemote: false,
  },
  {
    kind: "log_file",
    label: "Log file",
    about: "Values in the last line that matches a pattern; rotation is followed.",
    settings: [
      { ...PATH, placeholder: "backup.log" },
      {
        name: "pattern",
        label: "Pattern",
        placeholder: "(?P<files>\\d+) files",
        hint: "A regular expression with a named group for each value.",
        isNeeded: true,
      },
    ],
    isRemote: false,
  },
  {
    kind: "http_json",
    label: "JSON over HTTP",
    about: "Values in a JSON document that a server answers with.",
    settings: [{ name: "url", label: "Address", placeholder: "https://", isNeeded: true }, AUTHORIZATION],
    values: { name: "select", label: "Where", placeholder: "$.orders.open" },
    isRemote: true,
  },
  {
    kind: "prometheus",
    label: "Prometheus endpoint",
    about: "Numbers of an endpoint in the text format of Prometheus.",
    settings: [
      { name: "url", label: "Address", placeholder: "http://127.0.0.1:9100/metrics", isNeeded: true },
      AUTHORIZATION,
    ],
    values: { name: "metric", label: "Metric", placeholder: "node_load1" },
    isRemote: true,
  },
  {
    kind: "sql",
    label: "SQL query",
    about: "One row, whose columns are the values. The database is opened for reading only.",
    settings: [
      {
        name: "url",
        label: "Database",
        placeholder: "postgresql://user:password@host/database",
        hint: "Or sqlite:///orders.db in the data folder.",
        isNeeded: true,
      },
      {
        name: "query",
        label: "Query",
        placeholder: "select count(*) from orders",
        isNeeded: true,
        isLong: true,
      },
    ],
    isRemote: true,
  },
  {
    kind: "git_activity",
    label: "Git activity",
    about: "Commits of the last day and week, and the last one.",
    settings: [
      {
        name: "path",
        label: "Repository",
        placeholder: "project",
        hint: "In the server's data folder.",
        isNeeded: true,
      },
      { name: "branch", label: "Branch", placeholder: "HEAD" },
    ],
    isRemote: false,
  },
];

export const formOf = (kind: string): KindForm | undefined => KINDS.find((form) => form.kind === kind);

/** A value of a source as it is typed. */
export interface DraftValue {
  readonly name: string;
  readonly where: string;
  readonly kind: "number" | "text" | "flag" | "moment" | "list";
  readonly unit: string;
}

export interface Draft {
  readonly kind: KindName;
  readonly name: string;
  readonly texts: Readonly<Record<string, string>>;
  readonly values: readonly DraftValue[];
  /** What the form does not show, as it was. */
  readonly rest: Table;
}

export const NEW_VALUE: DraftValue = { name: "", where: "", kind: "number", unit: "" };

export const EMPTY: Draft = { kind: "json_file", name: "", texts: {}, values: [], rest: {} };

const NAME = /^[a-z][A-Za-z0-9]{0,63}$/;

/** What is missing before the server can be asked; empty if nothing is. */
export function missingIn({ kind, name, texts, values }: Draft): string {
  if (!NAME.test(name)) return "Give it a name in camelCase, such as openOrders.";
  const setting = formOf(kind)?.settings.find((one) => one.isNeeded && !texts[one.name]?.trim());
  if (setting !== undefined) return `${setting.label} is needed.`;
  if (kind === "prometheus" && values.length === 0) return "Add at least one value.";
  if (values.some((value) => !NAME.test(value.name))) return "Each value has a name in camelCase.";
  return "";
}

/** As the server takes it. What is empty is left out, and what is secret with it: then that stays as it was. */
export function tableOf({ kind, name, texts, values, rest }: Draft): Table {
  const form = formOf(kind);
  const given = (form?.settings ?? []).flatMap((setting): [string, unknown][] => {
    const text = texts[setting.name]?.trim() ?? "";
    if (text === "") return [];
    return setting.name === "authorization" ? [["headers", { Authorization: text }]] : [[setting.name, text]];
  });
  const column = form?.values?.name;
  const fields = values.map(({ name, where, kind, unit }) => ({
    name,
    ...(column !== undefined && where !== "" ? { [column]: where } : {}),
    ...(column === "metric" ? {} : { kind }),
    ...(unit === "" ? {} : { unit }),
  }));
  return {
    ...rest,
    kind,
    name,
    ...Object.fromEntries(given),
    ...(column && fields.length > 0 ? { fields } : {}),
  };
}

/** The form of a source that is there; `undefined` for a kind that it does not know. */
export function draftOf(name: string, kind: string, settings: Table): Draft | undefined {
  const form = formOf(kind);
  if (form === undefined) return undefined;
  const { fields, name: _, ...others } = settings;
  const shown = form.settings.map((setting) => setting.name);
  const entries = Object.entries(others);
  const texts = Object.fromEntries(
    entries.filter(([key]) => shown.includes(key)).map(([key, value]) => [key, String(value)]),
  );
  const rest = Object.fromEntries(entries.filter(([key]) => !shown.includes(key)));
  const column = form.values?.name;
  const tables: readonly Table[] = Array.isArray(fields) && column !== undefined ? fields : [];
  const isPlain = tables.every((field) =>
    Object.entries(field).every(([key, value]) => isShown(key, value, column)),
  );
  // What the form cannot show it must not lose.
  if (!isPlain || (column === undefined && Array.isArray(fields) && fields.length > 0)) return undefined;
  return {
    kind: form.kind,
    name,
    texts,
    values: tables.map((field) => draftValueOf(field, column ?? "")),
    rest,
  };
}

function isShown(key: string, value: unknown, column: string | undefined): boolean {
  const isDefault =
    value === null || value === "" || (typeof value === "object" && Object.keys(value).length === 0);
  return isDefault || ["name", "kind", "unit", column].includes(key);
}

const VALUE_KINDS = ["number", "text", "flag", "moment", "list"] as const;

function draftValueOf(field: Table, column: string): DraftValue {
  const text = (key: string): string => (typeof field[key] === "string" ? field[key] : "");
  const kind = VALUE_KINDS.find((known) => known === field["kind"]) ?? "number";
  return { name: text("name"), where: text(column), kind, unit: text("unit") };
}
