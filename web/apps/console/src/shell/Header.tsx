/** The bar at the top: the name, the way to every command, how the connection does, and who is here. */

import { Link } from "@tanstack/react-router";
import { RealtimeStatus } from "@vagus/react";
import { BookOpen, CircleUser, Keyboard, LogOut, MonitorSmartphone, Search } from "lucide-react";
import type { ReactNode, RefObject } from "react";
import { useSession } from "../session.js";
import { Badge } from "../ui/Badge.js";
import { IconButton } from "../ui/Button.js";
import { Kbd } from "../ui/Kbd.js";
import { Menu } from "../ui/Popover.js";
import { Tooltip } from "../ui/Tooltip.js";
import { Looks } from "./Looks.js";
import { Notifications } from "./Notifications.js";
import { useSignOut } from "./useSignOut.js";
import { Wordmark } from "./Wordmark.js";

export interface HeaderProps {
  readonly openPalette: () => void;
  readonly openHelp: () => void;
  readonly openSessions: () => void;
  readonly bell: RefObject<HTMLButtonElement | null>;
}

export function Header({ openPalette, openHelp, openSessions, bell }: HeaderProps): ReactNode {
  return (
    <header className="sticky top-0 z-40 flex h-13 items-center gap-1 border-b border-line bg-bg px-3 sm:gap-2">
      <Link to="/" aria-label="Vagus, command centre" className="me-2 flex items-center rounded-control px-1">
        <Wordmark />
      </Link>
      <button
        type="button"
        onClick={openPalette}
        className="mx-auto hidden h-8 w-full max-w-md items-center gap-2 rounded-control border border-control-line bg-field px-2.5 text-sm text-muted hover:text-text md:flex"
      >
        <Search size={15} />
        <span className="flex-1 text-start">Where to, or what to do?</span>
        <Kbd keys="mod+k" />
      </button>
      <span className="flex-1 md:hidden" />
      <RealtimeStatus />
      <IconButton label="Commands" icon={Search} keys="mod+k" className="md:hidden" onClick={openPalette} />
      <Notifications bell={bell} />
      <Looks />
      <UserMenu openHelp={openHelp} openSessions={openSessions} />
    </header>
  );
}

function UserMenu({ openHelp, openSessions }: Pick<HeaderProps, "openHelp" | "openSessions">): ReactNode {
  const { user, roles, insecure, version } = useSession();
  const leave = { label: "Sign out", icon: LogOut, onSelect: useSignOut() };
  return (
    <>
      {insecure && (
        <span className="max-sm:hidden">
          <Tooltip label="This server asks nobody to sign in. For trying things on a laptop.">
            {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard reaches what it means */}
            <span role="note" tabIndex={0} className="rounded-full">
              <Badge tone="warn">Insecure</Badge>
            </span>
          </Tooltip>
        </span>
      )}
      <Menu
        label="You"
        trigger={(props) => <IconButton label={`You: ${user}`} icon={CircleUser} {...props} />}
        header={
          <div className="grid gap-1.5">
            <p className="font-semibold break-all">{user}</p>
            <p className="flex flex-wrap items-center gap-1 text-xs text-muted">
              {roles.length === 1 ? "Role" : "Roles"}
              {roles.map((role) => (
                <Badge key={role}>{role}</Badge>
              ))}
            </p>
            <p className="text-xs text-muted">Vagus {version}</p>
          </div>
        }
        items={[
          null,
          { label: "Shortcuts", icon: Keyboard, keys: "?", onSelect: openHelp },
          { label: "HTTP API", icon: BookOpen, onSelect: () => open("/docs", "_blank", "noopener") },
          ...(insecure
            ? []
            : [null, { label: "Sessions", icon: MonitorSmartphone, onSelect: openSessions }, leave]),
        ]}
      />
    </>
  );
}
