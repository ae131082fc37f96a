/**
 * Packs each package as it would be published, and has publint and attw look at what came of it.
 *
 * They are handed the archive: publint would else pack by itself, with the npm beside `node`, which the Node.js of PyPI
 * has in another place. A stylesheet has no types, so attw passes over it.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const WEB = join(import.meta.dirname, "..");
const BIN = join(WEB, "node_modules", ".bin");

/** Run a program; what it says is shown only if it fails, for a check that is content has nothing to say. */
function run(program: string, args: readonly string[], folder: string): string {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`${program} ${args.join(" ")}\n${stdout}${stderr}`);
    process.exitCode = 1;
  }
  return stdout;
}

function check(folder: string, destination: string): void {
  const packed = run("npm", ["pack", "--json", "--pack-destination", destination], folder);
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  const archive = join(destination, filename);
  run(join(BIN, "publint"), [archive, "--strict"], WEB);
  run(
    join(BIN, "attw"),
    [archive, "--profile", "esm-only", "--exclude-entrypoints", "./styles.css", "--no-emoji"],
    WEB,
  );
}

const destination = mkdtempSync(join(tmpdir(), "vagus-packages-"));
try {
  for (const name of ["client", "react"]) check(join(WEB, "packages", name), destination);
} finally {
  rmSync(destination, { recursive: true });
}
