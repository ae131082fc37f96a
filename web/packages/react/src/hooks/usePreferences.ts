/** What a person chose. */

import type { Preferences, PreferencesStore } from "@vagus/client";
import { useProvided } from "../context.js";
import { all, useSelected } from "./useSelected.js";

export interface UsePreferences extends Pick<PreferencesStore, "set" | "reset"> {
  readonly preferences: Preferences;
}

/**
 * They are kept by the client, and the same in all tabs.
 *
 * ```tsx
 * const { preferences, set } = usePreferences();
 * ```
 */
export function usePreferences(): UsePreferences {
  const { preferences } = useProvided().client;
  const { set, reset } = preferences;
  return { preferences: useSelected(preferences, all), set, reset };
}
