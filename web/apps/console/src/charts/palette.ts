/** The colours of charts, read off the page's CSS variables, since a canvas knows none. */

import type { Store } from "@vagus/client";

export interface Shades {
  readonly line: string;
  /** What lies below the line. */
  readonly fill: string;
  /** From the lowest to the highest of each step. */
  readonly band: string;
}

export interface Palette {
  readonly series: readonly Shades[];
  /** So many lines are told apart by their colours; the others are dashed. */
  readonly solid: number;
  readonly text: string;
  readonly grid: string;
  readonly font: string;
  /** How large the texts at its axes are: larger on a wall display. */
  readonly textPx: number;
}

const SERIES = 8;
/** From the fifth line on colours come near each other, and where colours are the system's there is one. */
const SOLID = { own: 4, forced: 1 };
const USUAL_PX = 11;
const FORCED = "(forced-colors: active)";
const DASHES = [
  [6, 4],
  [2, 3],
  [8, 3, 2, 3],
  [12, 4],
  [1, 5],
  [12, 3, 2, 3, 2, 3],
  [4, 8],
] as const;

export const dashOf = ({ solid }: Palette, index: number): number[] =>
  index < solid ? [] : [...(DASHES[(index - solid) % DASHES.length] ?? [])];

export const shadesOf = ({ series, text }: Palette, index: number): Shades =>
  series[index % SERIES] ?? { line: text, fill: text, band: text };

/** The same as a reference, for what is drawn with CSS. */
export const colourVariable = (index: number): string => `var(--series-${(index % SERIES) + 1})`;

function read(): Palette {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.forcedColorAdjust = "none";
  probe.style.fontSize = "var(--chart-text)";
  /** As a canvas takes it: of variables, mixtures and the system's colours it may know nothing. */
  const colour = (text: string): string => {
    probe.style.color = text;
    return getComputedStyle(probe).color;
  };
  const shades = (index: number): Shades => {
    const line = colourVariable(index);
    const share = (percent: number): string => colour(`color-mix(in srgb, ${line} ${percent}%, transparent)`);
    return { line: colour(line), fill: share(8), band: share(20) };
  };
  const found = {
    series: Array.from({ length: SERIES }, (_, index) => shades(index)),
    solid: matchMedia(FORCED).matches ? SOLID.forced : SOLID.own,
    text: colour("var(--faint)"),
    grid: colour("var(--grid)"),
    font: getComputedStyle(document.body).fontFamily || "sans-serif",
    // uPlot reads whole pixels alone.
    textPx: Math.round(Number.parseFloat(getComputedStyle(probe).fontSize)) || USUAL_PX,
  };
  probe.remove();
  return found;
}

let known: Palette | undefined;
const listeners = new Set<() => void>();
let stop: (() => void) | undefined;

function watch(): () => void {
  const renew = (): void => {
    known = undefined;
    for (const listener of listeners) listener();
  };
  const observer = new MutationObserver(renew);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme", "data-kiosk"] });
  const system = [FORCED, "(prefers-color-scheme: dark)"].map((query) => matchMedia(query));
  for (const query of system) query.addEventListener("change", renew);
  return () => {
    observer.disconnect();
    for (const query of system) query.removeEventListener("change", renew);
  };
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
