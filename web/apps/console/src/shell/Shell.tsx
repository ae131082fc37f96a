/** What is around every page: the bar, the pages, commands, notifications; or nothing of it on a wall display. */

import { Outlet, useLocation } from "@tanstack/react-router";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useActions } from "../actions.js";
import { useKeeping } from "../notifications.js";
import { useRole } from "../session.js";
import { Unopened } from "../ui/Dialog.js";
import { ErrorBoundary } from "../ui/ErrorBoundary.js";
import { loaded } from "../ui/loaded.js";
import { ClockStrip } from "./ClockStrip.js";
import { ConnectionStrip } from "./ConnectionStrip.js";
import { useShellActions } from "./commands.js";
import { Header } from "./Header.js";
import { Navigation } from "./Navigation.js";
import { Palette } from "./Palette.js";
import { Toasts } from "./Toasts.js";
import { useWall } from "./wall.js";

/** Few ever open them. */
const Shortcuts = loaded(async () => (await import("./Shortcuts.js")).Shortcuts, Unopened);
const SessionsDialog = loaded(
  async () => (await import("../sessions/SessionsDialog.js")).SessionsDialog,
  Unopened,
);

const EVERYBODYS = ["alerts"];
const ADMINS = ["alerts", "admins"];

export function Shell(): ReactNode {
  const { isWall, leave } = useWall();
  const [opened, setOpened] = useState<"palette" | "help" | "sessions" | null>(null);
  const openPalette = useCallback(() => setOpened("palette"), []);
  const openHelp = useCallback(() => setOpened("help"), []);
  const openSessions = useCallback(() => setOpened("sessions"), []);
  const close = useCallback(() => setOpened(null), []);
  const bell = useRef<HTMLButtonElement>(null);
  const main = useRef<HTMLElement>(null);
  const channels = useRole("admin") ? ADMINS : EVERYBODYS;
  const { pathname } = useLocation();
  useKeeping();
  useShellActions({ openPalette, openHelp, openSessions, bell });
  useFocusAfterNavigation(main, pathname);
  useEffect(() => {
    document.documentElement.toggleAttribute("data-kiosk", isWall);
  }, [isWall]);
  useActions(
    useMemo(
      () =>
        isWall
          ? [
              {
                id: "leave-wall",
                title: "Leave the wall display",
                group: "Looks",
                keys: "escape",
                run: leave,
              },
            ]
          : [],
      [isWall, leave],
    ),
  );

  return (
    <>
      <a
        href="#main"
        className="fixed start-2 top-2 z-50 -translate-y-20 rounded-control bg-solid px-3 py-2 font-medium text-on-solid forced-color-adjust-none focus:translate-y-0"
      >
        Skip to the page
      </a>
      {!isWall && (
        <Header openPalette={openPalette} openHelp={openHelp} openSessions={openSessions} bell={bell} />
      )}
      <ConnectionStrip />
      <ClockStrip />
      <div className="md:flex">
        {!isWall && <Navigation />}
        <main
          ref={main}
          id="main"
          tabIndex={-1}
          className={`mx-auto w-full max-w-[160rem] min-w-0 flex-1 p-4 outline-none lg:px-6 ${isWall ? "" : "max-md:pb-24"}`}
        >
          <ErrorBoundary key={pathname}>
            <Outlet />
          </ErrorBoundary>
        </main>
      </div>
      {opened === "palette" && <Palette onClose={close} />}
      {opened === "help" && <Shortcuts onClose={close} />}
      {opened === "sessions" && <SessionsDialog onClose={close} />}
      <Toasts channels={channels} />
    </>
  );
}

/** After going to another page the focus is on it, so that the keyboard and screen readers go on from there. */
function useFocusAfterNavigation(main: { readonly current: HTMLElement | null }, pathname: string): void {
  const last = useRef(pathname);
  useEffect(() => {
    if (last.current === pathname) return;
    last.current = pathname;
    main.current?.focus({ preventScroll: true });
  }, [main, pathname]);
}
