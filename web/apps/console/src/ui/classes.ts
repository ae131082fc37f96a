/** Class names put together; what is `false` or `undefined` is left out. */

export function classes(...names: readonly (string | false | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
