/** Theme and density, seen at once while they are chosen. */

import { Contrast, Monitor, Moon, Rows2, Rows4, Sun, SunMoon } from "lucide-react";
import type { ReactNode } from "react";
import { changeSettings, useSettings } from "../settings.js";
import { IconButton } from "../ui/Button.js";
import { Popover } from "../ui/Popover.js";
import { Segmented } from "../ui/Segmented.js";

export const THEME_CHOICES = [
  { value: "dark", label: "Dark", icon: Moon },
  { value: "light", label: "Light", icon: Sun },
  { value: "high-contrast", label: "Contrast", icon: Contrast },
  { value: "system", label: "System", icon: Monitor },
] as const;

export const DENSITY_CHOICES = [
  { value: "comfortable", label: "Comfortable", icon: Rows2 },
  { value: "compact", label: "Compact", icon: Rows4 },
] as const;

export function Looks(): ReactNode {
  const { theme, density } = useSettings();
  return (
    <Popover
      label="Looks"
      className="w-fit p-3"
      trigger={(props) => <IconButton label="Looks" icon={SunMoon} keys="t" {...props} />}
    >
      {() => (
        <div className="grid justify-items-start gap-3">
          <p className="eyebrow -mb-1.5">Theme</p>
          <Segmented
            label="Theme"
            options={THEME_CHOICES}
            value={theme}
            onChange={(theme) => changeSettings({ theme })}
          />
          <p className="eyebrow -mb-1.5">Density</p>
          <Segmented
            label="Density"
            options={DENSITY_CHOICES}
            value={density}
            onChange={(density) => changeSettings({ density })}
          />
        </div>
      )}
    </Popover>
  );
}
