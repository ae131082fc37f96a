/**
 * What a page loads for each entry of the packages: bundled, minified and compressed, against a budget that fails.
 *
 * It measures `dist`, so build first. What the page has anyway (React, and the client under the hooks) does not count.
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
  readonly external?: readonly string[];
}

const ENTRIES: readonly Entry[] = [
  { name: "@vagus/client", file: "client/dist/index.js", budget: 25_000 },
  { name: "@vagus/client/worker", file: "client/dist/worker.js", budget: 22_000 },
  {
    name: "@vagus/react",
    file: "react/dist/index.js",
    budget: 8_000,
    external: ["react", "react-dom", "@vagus/client"],
  },
  { name: "@vagus/react/styles.css", file: "react/src/styles.css", budget: 4_000 },
];

interface Size {
  readonly minified: number;
  readonly gzip: number;
}

/** The entry with all that it needs from the start; what it loads later, when it is needed, is not in it. */
async function sizeOf({ file, external = [] }: Entry): Promise<Size> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: PACKAGES,
    entryPoints: [file],
    outdir: "out",
    bundle: true,
    splitting: true,
    metafile: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: [...external],
    write: false,
    logLevel: "error",
  });
  const wanted = new Set<string>();
  const want = (path: string): void => {
    wanted.add(join(PACKAGES, path));
    const imports = metafile.outputs[path]?.imports ?? [];
    for (const { kind, path: other } of imports) if (kind === "import-statement") want(other);
  };
  for (const [path, { entryPoint }] of Object.entries(metafile.outputs)) if (entryPoint === file) want(path);
  const parts = outputFiles.filter(({ path }) => wanted.has(path)).map(({ contents }) => contents);
  return {
    minified: parts.reduce((sum, part) => sum + part.length, 0),
    gzip: parts.reduce((sum, part) => sum + gzipSync(part, { level: 9 }).length, 0),
  };
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
