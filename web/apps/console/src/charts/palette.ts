/** The colours of charts, read off the page's CSS variables, since a canvas knows none. */

import type { Store } from "@vagus/client";

export interface Palette {
  readonly series: readonly string[];
  readonly text: string;
  readonly grid: string;
  readonly font: string;
}

const SERIES = 8;
/** From the fifth line on colours come near each other, so lines are dashed too. */
const SOLID = 4;
const DASHES = [
  [6, 4],
  [2, 3],
  [8, 3, 2, 3],
  [12, 4],
] as const;

export const dashOf = (index: number): number[] =>
  index < SOLID ? [] : [...(DASHES[(index - SOLID) % DASHES.length] ?? [])];

export const colourOf = (palette: Palette, index: number): string =>
  palette.series[index % SERIES] ?? palette.text;

/** The same as a reference, for what is drawn with CSS. */
export const colourVariable = (index: number): string => `var(--series-${(index % SERIES) + 1})`;

function read(): Palette {
  const style = getComputedStyle(document.documentElement);
  const value = (name: string): string => style.getPropertyValue(name).trim();
  return {
    series: Array.from({ length: SERIES }, (_, index) => value(`--series-${index + 1}`)),
    text: value("--faint"),
    grid: value("--grid"),
    font: `${getComputedStyle(document.body).fontFamily || "sans-serif"}`,
  };
}

let known: Palette | undefined;
const listeners = new Set<() => void>();
let stop: (() => void) | undefined;

function watch(): () => void {
  const observer = new MutationObserver(() => {
    known = undefined;
    for (const listener of listeners) listener();
  });
  observer.observe(document.documentElement, { attributeFilter: ["data-theme", "class"] });
  return () => observer.disconnect();
}

/** The palette of the theme that holds now. */
export const palette: Store<Palette> = {
  get: () => {
    known ??= read();
    return known;
  },
  subscribe: (listener) => {
    if (listeners.size === 0) known = undefined;
    listeners.add(listener);
    stop ??= watch();
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      stop?.();
      stop = undefined;
    };
  },
};
