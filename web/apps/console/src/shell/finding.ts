/** Finding actions by a few letters, and remembering which were done last. Pure but for where they are kept. */

import type { Action } from "../actions.js";

const WORD_START = 8;
const CONSECUTIVE = 5;
const RECENT_KEY = "vagus.recent";
const MOST_RECENT = 5;

/**
 * How well the letters of `query` are found in `text`, in their order; `null` if they are not. Letters that begin words
 * count most, then letters in a row, and what comes early.
 */
export function closeness(query: string, text: string): number | null {
  const wanted = query.toLowerCase().replaceAll(/\s+/g, "");
  const letters = text.toLowerCase();
  const scores = [walk(wanted, letters, nextWordStart), walk(wanted, letters, (_, __, next) => next)];
  return scores.reduce((best, score) => (best === null || (score !== null && score > best) ? score : best));
}

type Choose = (text: string, letter: string, next: number) => number;

/** One pass through the text; `choose` says where a letter is taken that is not the next one. */
function walk(wanted: string, text: string, choose: Choose): number | null {
  let score = -text.length / 1_000;
  let at = -1;
  for (const letter of wanted) {
    const next = text.indexOf(letter, at + 1);
    if (next === -1) return null;
    const isInRow = at !== -1 && next === at + 1;
    const found = isInRow ? next : choose(text, letter, next);
    score += (isWordStart(text, found) ? WORD_START : 0) + (isInRow ? CONSECUTIVE : 0) - found / 100;
    at = found;
  }
  return score;
}

/** Those that match, the closest first; without a query those done last, then all in their order, minor ones behind. */
export function found(
  query: string,
  actions: readonly Action[],
  recent: readonly string[],
): readonly Action[] {
  if (query.trim() === "") {
    const last = recent.flatMap((id) => actions.find((action) => action.id === id) ?? []);
    const others = actions.filter((action) => !last.includes(action));
    return [...last, ...others.filter(({ isMinor }) => !isMinor), ...others.filter(({ isMinor }) => isMinor)];
  }
  return actions
    .flatMap((action) => {
      const score = scoreOf(query, action);
      return score === null
        ? []
        : [{ action, score: score + (recent.includes(action.id) ? CONSECUTIVE : 0) }];
    })
    .sort((one, other) => other.score - one.score)
    .map(({ action }) => action);
}

/** The title counts most, then its other words and its group. */
function scoreOf(query: string, { title, group, words = "" }: Action): number | null {
  const byTitle = closeness(query, title);
  if (byTitle !== null) return byTitle + 2 * WORD_START;
  return closeness(query, `${words} ${group} ${title}`);
}

export function recentActions(): readonly string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(RECENT_KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string").slice(0, MOST_RECENT) : [];
  } catch {
    return [];
  }
}

export function rememberAction(id: string): void {
  const next = [id, ...recentActions().filter((other) => other !== id)].slice(0, MOST_RECENT);
  try {
    localStorage.setItem(RECENT_KEY, JSON.stringify(next));
  } catch {
    // Full or forbidden: nothing is remembered.
  }
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || text[at - 1] === " ";
}

function nextWordStart(text: string, letter: string, next: number): number {
  for (let at = next; at !== -1; at = text.indexOf(letter, at + 1)) {
    if (isWordStart(text, at)) return at;
  }
  return next;
}
