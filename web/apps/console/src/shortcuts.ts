/**
 * From keys to actions. One listener for the page; a key that somebody types into a field, or that the focused control
 * takes itself, is never one of these, and none works under an open dialog but its own.
 */

import { type Action, actions } from "./actions.js";
import { settings } from "./settings.js";

/** How long the second key of a sequence is waited for. */
const SEQUENCE_MS = 1_200;

const isMac = /mac|iphone|ipad/i.test(navigator.platform);

/** `mod+k`, `?`, `space`: how a pressed key is written. */
export function nameOf({
  key,
  ctrlKey,
  metaKey,
  altKey,
}: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">): string {
  const name = key === " " ? "space" : key.toLowerCase();
  return (altKey ? "alt+" : "") + (ctrlKey || metaKey ? "mod+" : "") + name;
}

/** How a shortcut is shown: one entry for each key that is pressed after the other. */
export function labelsOf(keys: string): readonly string[] {
  const words: Record<string, string> = {
    mod: isMac ? "⌘" : "Ctrl",
    space: "Space",
    escape: "Esc",
    enter: "Enter",
  };
  const label = (key: string): string => words[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  return keys.split(" ").map((stroke) =>
    stroke
      .split("+")
      .map(label)
      .join(isMac ? "" : "+"),
  );
}

/** Listen for shortcuts. Returns what ends that. */
export function listenForShortcuts(): () => void {
  let pressed = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const forget = (): void => {
    pressed = "";
    clearTimeout(timer);
  };
  const take = (event: Event): void => {
    // A browser that fills in a form tells of keys that nobody pressed.
    if (!(event instanceof KeyboardEvent)) return;
    const name = nameOf(event);
    const isChord = name.includes("mod+");
    if (event.defaultPrevented || event.isComposing || event.repeat || document.querySelector("dialog:modal"))
      return;
    if (!isChord && (!settings.get().singleKeys || takesKeys(event.target, name))) return forget();

    const sequence = pressed === "" ? name : `${pressed} ${name}`;
    const found = actionOf(sequence) ?? actionOf(name);
    forget();
    if (found) {
      event.preventDefault();
      found.run();
    } else if (actions.get().some(({ keys }) => keys?.startsWith(`${name} `))) {
      pressed = name;
      timer = setTimeout(forget, SEQUENCE_MS);
    }
  };
  addEventListener("keydown", take);
  return () => {
    forget();
    removeEventListener("keydown", take);
  };
}

/** Of several the one that was added last: a page's own key wins over the shell's. */
function actionOf(pressed: string): Action | undefined {
  return actions.get().findLast(({ keys, alsoKeys }) => keys === pressed || alsoKeys === pressed);
}

function takesKeys(target: EventTarget | null, name: string): boolean {
  if (!(target instanceof Element)) return false;
  if (
    target.closest("input, textarea, select, [contenteditable], [role=listbox], [role=menu], [role=slider]")
  )
    return true;
  return name === "space" && target.closest("button, a, summary, [role=button], [role=tab]") !== null;
}
