/*
 * Sets the chosen theme and density before anything is drawn, so that a light page never flashes dark.
 *
 * The rules are those of src/settings.ts, which takes over once the page's own code is there.
 */
(() => {
  let chosen = {};
  try {
    chosen = JSON.parse(localStorage.getItem("vagus.console")) ?? {};
  } catch {
    // Storage is forbidden or holds something else: the defaults hold.
  }
  const prefers = (what) => matchMedia(`(prefers-${what})`).matches;
  const systems = prefers("contrast: more")
    ? "high-contrast"
    : prefers("color-scheme: light")
      ? "light"
      : "dark";
  const { theme = "dark", density = "comfortable" } = chosen;
  Object.assign(document.documentElement.dataset, { theme: theme === "system" ? systems : theme, density });
})();
