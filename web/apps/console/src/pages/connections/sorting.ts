/** In which order rows stand, as one word: a column's name, with `-` before it for the highest first. */

export type Direction = "ascending" | "descending";

/** `undefined` if they are sorted by something else. */
export function isSortedBy(sort: string, name: string): Direction | undefined {
  if (sort === name) return "ascending";
  return sort === `-${name}` ? "descending" : undefined;
}

/** What a press on the heading asks for: numbers begin with the highest, words with A. */
export function nextSort(sort: string, name: string, isNumber: boolean): string {
  const first = isNumber ? `-${name}` : name;
  return sort === first ? (isNumber ? name : `-${name}`) : first;
}
