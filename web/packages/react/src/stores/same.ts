/** Whether two values are alike as far as a screen is concerned: the same, or with the same entries, one level deep. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (!isPlain(one) || !isPlain(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.is(one[key], other[key]));
}

const PLAIN: readonly unknown[] = [Object.prototype, Array.prototype, null];

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && PLAIN.includes(Object.getPrototypeOf(value));
}
