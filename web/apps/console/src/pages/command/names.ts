/** What sources and values are called on the page. */

const READY: Readonly<Record<string, string>> = {
  memoIndex: "Memos",
  driveSyncLog: "Drive sync",
  driveSyncLastSync: "Last sync",
};

/** Words of a name in camelCase: `openOrders` is "Open orders". */
export function titleOf(name: string): string {
  const known = READY[name];
  if (known !== undefined) return known;
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(" ");
  return words
    .map((word, index) => {
      if (/^[A-Z]{2,}$/.test(word)) return word;
      return index === 0 ? word.charAt(0).toUpperCase() + word.slice(1) : word.toLowerCase();
    })
    .join(" ");
}
