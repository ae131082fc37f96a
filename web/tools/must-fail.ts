/**
 * Holds the folders `must-fail` to it: each line there that ends in a comment such as `// TS2345` must be refused by the
 * compiler with just that error, and every other line must be accepted.
 *
 * A stray `@ts-expect-error` would be content with any error; a file that stops to parse would make all of them.
 */

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const WEB = join(import.meta.dirname, "..");
const TSC = join(WEB, "node_modules", ".bin", "tsc");
const WANTED = /\/\/ (TS\d+)$/;
const REPORTED = /^(.+?)\((\d+),\d+\): error (TS\d+):/;

function wantedIn(folder: string): Set<string> {
  const files = readdirSync(folder).filter((name) => /\.tsx?$/.test(name));
  return new Set(files.flatMap((name) => wantedLines(name, readFileSync(join(folder, name), "utf8"))));
}

function wantedLines(name: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) => {
    const code = WANTED.exec(line)?.[1];
    return code === undefined ? [] : [`${name}:${index + 1} ${code}`];
  });
}

function reportedIn(folder: string): Set<string> {
  const ran = spawnSync(TSC, ["-p", ".", "--pretty", "false"], { cwd: folder, encoding: "utf8" });
  if (ran.error) throw ran.error;
  return new Set(
    ran.stdout.split("\n").flatMap((line) => {
      const [, file, number, code] = REPORTED.exec(line) ?? [];
      return file === undefined ? [] : [`${file}:${number} ${code}`];
    }),
  );
}

function differences(folder: string): string[] {
  const wanted = wantedIn(folder);
  const reported = reportedIn(folder);
  const place = relative(WEB, folder);
  if (wanted.size === 0) return [`${place} holds no line that must fail`];
  return [
    ...[...wanted.difference(reported)].map((at) => `${place}/${at} is not refused`),
    ...[...reported.difference(wanted)].map((at) => `${place}/${at} is refused, but no comment says so`),
  ];
}

const folders = ["client", "react"].map((name) => join(WEB, "packages", name, "tests", "types", "must-fail"));
const found = folders.flatMap(differences);
for (const difference of found) process.stderr.write(`${difference}\n`);
process.exitCode = found.length === 0 ? 0 : 1;
