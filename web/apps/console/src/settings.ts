/**
 * How a person wants the page to look and to be steered, kept in this browser and in step with its other tabs.
 *
 * The theme and the density are attributes of the page's root, which theme.css goes by; public/early.js sets them first.
 */

import { cellOf, useStore } from "./store.js";

export const THEMES = ["system", "dark", "light", "high-contrast"] as const;
export const DENSITIES = ["comfortable", "compact"] as const;

export interface Settings {
  readonly theme: (typeof THEMES)[number];
  readonly density: (typeof DENSITIES)[number];
  /** Whether shortcuts of a single key work (WCAG 2.1.4). */
  readonly singleKeys: boolean;
}

export const DEFAULTS: Settings = { theme: "dark", density: "comfortable", singleKeys: true };

const KEY = "vagus.console";

const chosen = cellOf<Settings>(settingsFrom(read()));

export function changeSettings(changes: Partial<Settings>): void {
  const next = { ...chosen.get(), ...changes };
  try {
    localStorage.setItem(KEY, JSON.stringify(next));
  } catch {
    // Full or forbidden: the choice holds for as long as the page does.
  }
  chosen.set(next);
}

export function useSettings(): Settings {
  return useStore(chosen);
}

export const settings = { get: chosen.get, subscribe: chosen.subscribe };

/**
 * Keep the page's root at what is chosen, and at what the system prefers where that was left to it. The root's
 * `data-theme` is always the theme that is shown, for what is drawn on a canvas to watch.
 */
export function applySettings(): void {
  const prefersContrast = matchMedia("(prefers-contrast: more)");
  const prefersLight = matchMedia("(prefers-color-scheme: light)");
  const apply = (): void => {
    const { theme, density } = chosen.get();
    const systems = prefersContrast.matches ? "high-contrast" : prefersLight.matches ? "light" : "dark";
    const next = theme === "system" ? systems : theme;
    Object.assign(document.documentElement.dataset, { theme: next, density });
    const background = getComputedStyle(document.documentElement).getPropertyValue("--bg");
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", background);
  };
  chosen.subscribe(apply);
  prefersContrast.addEventListener("change", apply);
  prefersLight.addEventListener("change", apply);
  addEventListener("storage", ({ key }) => {
    if (key === KEY || key === null) chosen.set(settingsFrom(read()));
  });
  apply();
}

/** What was kept, as far as it is sound: storage may hold anything. */
export function settingsFrom(text: string | null): Settings {
  let kept: Partial<Record<keyof Settings, unknown>>;
  try {
    kept = { ...JSON.parse(text ?? "{}") };
  } catch {
    return DEFAULTS;
  }
  return {
    theme: THEMES.find((theme) => theme === kept.theme) ?? DEFAULTS.theme,
    density: DENSITIES.find((density) => density === kept.density) ?? DEFAULTS.density,
    singleKeys: typeof kept.singleKeys === "boolean" ? kept.singleKeys : DEFAULTS.singleKeys,
  };
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
