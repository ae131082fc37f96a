/**
 * What a browser loads of the console, after gzip: for its first page, and for each page that is visited later, against
 * budgets that fail.
 *
 * It reads the manifest of the build, so build first. With `--tell` it says so and fails nothing, for the build itself.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const DIST = join(import.meta.dirname, "..", "apps", "console", "dist");

/** Bytes of JavaScript, gzipped: the shell with the command centre and its charts. */
const FIRST_PAGE = "src/pages/command/CommandPage.tsx";
const FIRST_BUDGET = 200_000;
/** What any other page may add to the shell. */
const LATER_BUDGET = 60_000;

interface Chunk {
  readonly file: string;
  readonly src?: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
}

const manifest: Readonly<Record<string, Chunk>> = JSON.parse(
  readFileSync(join(DIST, ".vite", "manifest.json"), "utf8"),
);

/** The files that come with a chunk: itself, what it imports from the start, and their styles. */
function filesOf(name: string, found: Set<string> = new Set()): Set<string> {
  const chunk = manifest[name];
  if (chunk === undefined || found.has(chunk.file)) return found;
  found.add(chunk.file);
  for (const sheet of chunk.css ?? []) found.add(sheet);
  for (const imported of chunk.imports ?? []) filesOf(imported, found);
  return found;
}

function gzipped(files: Iterable<string>, kind: string): number {
  const bytes = (file: string): number => gzipSync(readFileSync(join(DIST, file)), { level: 9 }).length;
  return [...files].filter((file) => file.endsWith(kind)).reduce((sum, file) => sum + bytes(file), 0);
}

function row(name: string, script: string, style: string, budget: string): string {
  return `${name.padEnd(44)}${script.padStart(10)}${style.padStart(10)}${budget.padStart(10)}`;
}

const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry) ?? "";
const shell = filesOf(entry);
const first = new Set([...shell, ...filesOf(FIRST_PAGE)]);
const pages = Object.keys(manifest).filter((name) => name.endsWith("Page.tsx") && name !== FIRST_PAGE);

const lines = [row("bytes, gzipped", "js", "css", "js budget")];
const tooBig: string[] = [];
function weigh(name: string, files: Iterable<string>, budget: number): void {
  const all = [...files];
  const script = gzipped(all, ".js");
  lines.push(
    row(
      name,
      String(script),
      String(gzipped(all, ".css")),
      budget === Number.POSITIVE_INFINITY ? "" : String(budget),
    ),
  );
  if (script > budget) tooBig.push(`${name} is ${script - budget} bytes over its budget`);
}
weigh("the shell alone", shell, Number.POSITIVE_INFINITY);
weigh("first page: shell and command centre", first, FIRST_BUDGET);
for (const page of pages) {
  weigh(`+ ${page.replace("src/", "")}`, filesOf(page).difference(shell), LATER_BUDGET);
}

process.stdout.write(`${lines.join("\n")}\n`);
for (const complaint of tooBig) process.stderr.write(`${complaint}\n`);
if (!process.argv.includes("--tell")) process.exitCode = tooBig.length === 0 ? 0 : 1;
