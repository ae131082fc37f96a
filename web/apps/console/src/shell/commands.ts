/** What the shell itself offers to the palette and the keyboard, on every page. */

import { useNavigate } from "@tanstack/react-router";
import {
  Bell,
  BookOpen,
  Keyboard,
  LogOut,
  MonitorSmartphone,
  PanelTop,
  RotateCw,
  Search,
  SunMoon,
} from "lucide-react";
import { type RefObject, useMemo } from "react";
import { type Action, useActions } from "../actions.js";
import { client } from "../connection.js";
import { useSession } from "../session.js";
import { changeSettings, settings, THEMES } from "../settings.js";
import { DENSITY_CHOICES, THEME_CHOICES } from "./Looks.js";
import { PAGES } from "./pages.js";
import { useSignOut } from "./useSignOut.js";
import { toggledWall } from "./wall.js";

export interface ShellDoors {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
  readonly openSessions: () => void;
  readonly bell: RefObject<HTMLButtonElement | null>;
}

export function useShellActions({ openPalette, openHelp, openSessions, bell }: ShellDoors): void {
  const navigate = useNavigate();
  const { insecure } = useSession();
  const leave = useSignOut();
  const offered = useMemo<readonly Action[]>(
    () => [
      ...PAGES.map(({ to, title, keys, icon }) => ({
        id: `go:${to}`,
        title,
        group: "Go to",
        keys,
        icon,
        run: () => void navigate({ to }),
      })),
      {
        id: "palette",
        title: "Find a command",
        group: "Help",
        keys: "mod+k",
        icon: Search,
        run: openPalette,
      },
      { id: "help", title: "Shortcuts", group: "Help", keys: "?", icon: Keyboard, run: openHelp },
      {
        id: "docs",
        title: "HTTP API",
        group: "Help",
        words: "documentation openapi rest",
        icon: BookOpen,
        run: () => open("/docs", "_blank", "noopener"),
      },
      {
        id: "notifications",
        title: "Notifications",
        group: "Page",
        keys: "n",
        words: "alerts toasts",
        icon: Bell,
        run: () => bell.current?.click(),
      },
      {
        id: "retry",
        title: "Connect again",
        group: "Page",
        words: "retry reconnect",
        icon: RotateCw,
        run: client.retry,
      },
      {
        id: "kiosk",
        title: "Wall display on or off",
        group: "Looks",
        words: "kiosk tv full screen",
        icon: PanelTop,
        run: () => void navigate({ to: ".", search: toggledWall as never }),
      },
      {
        id: "next-theme",
        title: "Next theme",
        group: "Looks",
        keys: "t",
        words: "dark light contrast",
        icon: SunMoon,
        run: nextTheme,
      },
      ...THEME_CHOICES.map(({ value, label, icon }) => ({
        id: `theme:${value}`,
        title: `Theme: ${label.toLowerCase()}`,
        group: "Looks",
        icon,
        run: () => changeSettings({ theme: value }),
      })),
      ...DENSITY_CHOICES.map(({ value, label, icon }) => ({
        id: `density:${value}`,
        title: `Density: ${label.toLowerCase()}`,
        group: "Looks",
        icon,
        run: () => changeSettings({ density: value }),
      })),
      ...(insecure
        ? []
        : [
            {
              id: "sessions",
              title: "Sessions",
              group: "Page",
              words: "signed in devices browsers end",
              icon: MonitorSmartphone,
              run: openSessions,
            },
            {
              id: "sign-out",
              title: "Sign out",
              group: "Page",
              words: "leave",
              icon: LogOut,
              run: leave,
            },
          ]),
    ],
    [navigate, openPalette, openHelp, openSessions, bell, insecure, leave],
  );
  useActions(offered);
}

function nextTheme(): void {
  const theme = THEMES[(THEMES.indexOf(settings.get().theme) + 1) % THEMES.length];
  if (theme) changeSettings({ theme });
}
