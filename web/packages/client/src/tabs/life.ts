/**
 * Whether the other side of a port still lives: each side holds a lock that the platform frees when it dies, and the
 * other waits for it. Where there are no Web Locks (a page that came over plain HTTP), lists that nobody takes tell.
 */

/** Without locks: the worker sends something at least this often. */
export const PING_MS = 10_000;
/** Without locks: for how long the other side may be silent. A tab in the background runs its timers once a minute. */
export const SILENCE_MS = 90_000;

const locks = (): LockManager | undefined => globalThis.navigator?.locks;

export const hasLocks = (): boolean => locks() !== undefined;

/** Hold a lock of a new name until the function that this returns is called; `held` is told the name. */
export function holdLife(held: (name: string) => void): () => void {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const manager = locks();
  if (manager) {
    const name = `vagus-${crypto.randomUUID()}`;
    manager
      .request(name, () => {
        held(name);
        return released;
      })
      .catch(() => {}); // refused, as in a sandboxed frame: then silence has to tell
  }
  return release;
}

/** Calls `ended` when the lock is free, unless what is returned is called before. */
export function awaitEnd(name: string, ended: () => void): () => void {
  const waiting = new AbortController();
  locks()
    ?.request(name, { signal: waiting.signal }, ended)
    .catch(() => {}); // called off
  return () => waiting.abort();
}
