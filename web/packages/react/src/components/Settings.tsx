/** What a person can choose. */

import type { ReactNode } from "react";
import { usePreferences } from "../hooks/usePreferences.js";

const SWITCHES = {
  notifications: "Notifications",
  autoReconnect: "Reconnect by itself",
  animation: "Animation",
} as const;

export function Settings(): ReactNode {
  const { preferences, set, reset } = usePreferences();
  return (
    <div className="vagus-settings">
      {(Object.keys(SWITCHES) as (keyof typeof SWITCHES)[]).map((name) => (
        <label key={name}>
          <input
            type="checkbox"
            checked={preferences[name]}
            onChange={() => set({ [name]: !preferences[name] })}
          />
          {SWITCHES[name]}
        </label>
      ))}
      <label>
        Seconds between updates, at least
        <input
          type="number"
          min="0"
          max="3600"
          value={preferences.refreshEvery / 1000}
          onChange={({ currentTarget }) => {
            if (currentTarget.checkValidity()) set({ refreshEvery: currentTarget.valueAsNumber * 1000 || 0 });
          }}
        />
      </label>
      <button type="button" className="vagus-button vagus-action" onClick={reset}>
        Reset
      </button>
    </div>
  );
}
