/** Browsers by what they say of themselves, in a few words that people know theirs again by. */

/** The first that is found counts, since most claim to be several. */
const BROWSERS: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Edge", /\bEdgA?\/(\d+)/],
  ["Opera", /\bOPR\/(\d+)/],
  ["Samsung Internet", /\bSamsungBrowser\/(\d+)/],
  ["Firefox", /\b(?:Firefox|FxiOS)\/(\d+)/],
  ["Chrome", /(?:Chrome|Chromium|CriOS)\/(\d+)/],
  ["Safari", /\bVersion\/(\d+).*\bSafari\//],
];

const SYSTEMS: readonly (readonly [name: string, sign: RegExp])[] = [
  ["Android", /\bAndroid\b/],
  ["iPhone", /\biPhone\b/],
  ["iPad", /\biPad\b/],
  ["Windows", /\bWindows\b/],
  ["macOS", /\bMac OS X\b/],
  ["ChromeOS", /\bCrOS\b/],
  ["Linux", /\bLinux\b/],
];

/** `Firefox 130 on Windows`; of a program, its name. */
export function agentText(agent: string): string {
  if (agent === "") return "Unknown browser";
  const system = SYSTEMS.find(([, sign]) => sign.test(agent))?.[0];
  for (const [name, sign] of BROWSERS) {
    const found = sign.exec(agent);
    if (found) return [`${name} ${found[1]}`, system].filter(Boolean).join(" on ");
  }
  return agent.split(/[\s/]/, 1)[0] || "Unknown browser";
}
