/**
 * How long a test waits for what should come. It says nothing about speed: a machine of CI may be busy with other work,
 * or stall, so that everything has several times as long there, as in `tests/patience.py`.
 */

/** How many times as long as on a quiet machine. */
const PATIENCE = process.env["CI"] ? 6 : 1;

export const DEADLINE_MS = 15_000 * PATIENCE;

/** For the settings of Vitest: how long a test, what goes before and after it, and what is asked again may take. */
export const TIMEOUTS = {
  testTimeout: 20_000 * PATIENCE,
  hookTimeout: 20_000 * PATIENCE,
  expect: { poll: { timeout: DEADLINE_MS } },
};
