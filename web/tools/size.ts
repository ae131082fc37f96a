/**
 * What a page loads for each entry of the packages: bundled, minified and compressed, against a budget that fails.
 *
 * It measures `dist`, so build first. What the page has anyway does not count: React is left out, and for the hooks it
 * is what a page with them loads more than a page with the client alone.
 */

import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const PACKAGES = join(import.meta.dirname, "..", "packages");

interface Entry {
  readonly name: string;
  readonly file: string;
  /** Bytes, after gzip at its best. */
  readonly budget: number;
  /** What is there already, and is not counted again. */
  readonly beside?: string;
}

const ENTRIES: readonly Entry[] = [
  { name: "@vagus/client", file: "client/dist/index.js", budget: 25_000 },
  { name: "@vagus/client/worker", file: "client/dist/worker.js", budget: 12_000 },
  { name: "@vagus/react", file: "react/dist/index.js", budget: 8_000, beside: "client/dist/index.js" },
  { name: "@vagus/react/styles.css", file: "react/src/styles.css", budget: 4_000 },
];

interface Size {
  readonly minified: number;
  readonly gzip: number;
}

/** A page of these files with all that they need from the start; what is loaded later, when it is needed, is not in it. */
async function sizeOfPage(files: readonly string[]): Promise<Size> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: PACKAGES,
    stdin: {
      contents: files
        .map((file) => `${file.endsWith(".css") ? "import" : "export * from"} "./${file}";`)
        .join("\n"),
      resolveDir: PACKAGES,
    },
    outdir: "out",
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["react", "react-dom"],
    tsconfigRaw: {}, // the packages as they are installed, not their sources
    write: false,
    logLevel: "error",
  });
  const wanted = new Set<string>();
  const want = (path: string): void => {
    const { imports = [], cssBundle } = metafile.outputs[path] ?? {};
    wanted.add(join(PACKAGES, cssBundle ?? path));
    for (const { kind, path: other } of imports) if (kind === "import-statement") want(other);
  };
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs))
    if (entryPoint === "<stdin>") want(path);
  const parts = outputFiles.filter(({ path }) => wanted.has(path)).map(({ contents }) => contents);
  return {
    minified: parts.reduce((sum, part) => sum + part.length, 0),
    gzip: parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0),
  };
}

async function sizeOf({ file, beside }: Entry): Promise<Size> {
  if (beside === undefined) return sizeOfPage([file]);
  const [whole, there] = [await sizeOfPage([beside, file]), await sizeOfPage([beside])];
  return { minified: whole.minified - there.minified, gzip: whole.gzip - there.gzip };
}

function row(name: string, minified: string, gzip: string, budget: string): string {
  return `${name.padEnd(26)}${minified.padStart(10)}${gzip.padStart(10)}${budget.padStart(10)}`;
}

const lines = [row("bytes", "minified", "gzip", "budget")];
const tooBig: string[] = [];
for (const entry of ENTRIES) {
  const { minified, gzip } = await sizeOf(entry);
  lines.push(row(entry.name, String(minified), String(gzip), String(entry.budget)));
  if (gzip > entry.budget) tooBig.push(`${entry.name} is ${gzip - entry.budget} bytes over its budget`);
}
process.stdout.write(`${lines.join("\n")}\n`);
for (const complaint of tooBig) process.stderr.write(`${complaint}\n`);
process.exitCode = tooBig.length === 0 ? 0 : 1;
