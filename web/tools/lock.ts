/**
 * Makes the lock file good for every machine, or with `--check` complains of what is wrong with it.
 *
 * npm leaves out packages for other platforms that the registry did not have when the lock was made. They are optional,
 * but `npm ci` then refuses the lock as incomplete. Their versions stand in the packages that want them, and their names
 * say for which platform they are; only their checksums stay unknown. And no address of a registry belongs in the file.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LOCK = join(import.meta.dirname, "..", "package-lock.json");
const SYSTEMS = "aix android darwin freebsd linux netbsd openbsd openharmony sunos win32".split(" ");
const PROCESSORS = "arm arm64 ia32 loong64 mips64el ppc64 riscv64 s390x wasm32 x64".split(" ");

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What npm would have written of a package such as `@deno/linux-arm64-glibc`, as far as its name tells. */
function lockedByName(name: string, version: string, dev: boolean): Locked {
  const parts = name.split(/[-/]/);
  const among = (known: readonly string[]): string[] => parts.filter((part) => known.includes(part));
  const libc = parts.flatMap((part) => /^(musl|glibc|gnu)/.exec(part)?.[1]?.replace("gnu", "glibc") ?? []);
  const platform = { os: among(SYSTEMS), cpu: among(PROCESSORS), libc };
  const known = Object.entries(platform).filter(([, values]) => values.length > 0);
  return { version, ...(dev ? { dev } : {}), optional: true, ...Object.fromEntries(known) } as Locked;
}

const lock = JSON.parse(readFileSync(LOCK, "utf8")) as { packages: Record<string, Locked> };

const missing = Object.values(lock.packages)
  .flatMap(({ optionalDependencies = {}, dev = false }) =>
    Object.entries(optionalDependencies).map(([name, version]) => ({ name, version, dev })),
  )
  .filter(({ name }) => lock.packages[`node_modules/${name}`] === undefined);
const addresses = Object.values(lock.packages).filter(({ resolved }) => resolved?.includes("://"));

if (!process.argv.includes("--check")) {
  for (const { name, version, dev } of missing) {
    lock.packages[`node_modules/${name}`] = lockedByName(name, version, dev);
  }
  const byPath = Object.entries(lock.packages).sort(([one], [other]) => one.localeCompare(other, "en"));
  writeFileSync(LOCK, `${JSON.stringify({ ...lock, packages: Object.fromEntries(byPath) }, null, 2)}\n`);
} else if (missing.length > 0) {
  process.stderr.write(
    `package-lock.json lacks ${missing[0]?.name}, so npm ci fails: run node tools/lock.ts\n`,
  );
  process.exitCode = 1;
}
if (addresses.length > 0) {
  process.stderr.write(`package-lock.json names a registry: ${addresses[0]?.resolved}\n`);
  process.exitCode = 1;
}
