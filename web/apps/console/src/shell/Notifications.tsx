/** The notification centre: a bell with the count of what is unread, and behind it the list that is kept. */

import { Age, type Severity, usePreferences } from "@vagus/react";
import { Bell, BellOff, Check, Trash2 } from "lucide-react";
import { type ReactNode, type RefObject, useState } from "react";
import {
  clearNotifications,
  markAllRead,
  markRead,
  type Notification,
  useNotifications,
} from "../notifications.js";
import { Button, IconButton } from "../ui/Button.js";
import { classes } from "../ui/classes.js";
import { EmptyState } from "../ui/EmptyState.js";
import { Mark, type Tone } from "../ui/Mark.js";
import { Popover } from "../ui/Popover.js";
import { Segmented } from "../ui/Segmented.js";

const TONES: Readonly<Record<Severity, Tone>> = {
  info: "unknown",
  success: "good",
  warning: "warn",
  error: "bad",
};
const FILTERS = [
  { value: "all", label: "All" },
  { value: "unread", label: "Unread" },
  { value: "problems", label: "Problems" },
] as const;

type Filter = (typeof FILTERS)[number]["value"];

/** `bell` is its button, so that a shortcut can open it. */
export function Notifications({ bell }: { readonly bell: RefObject<HTMLButtonElement | null> }): ReactNode {
  const unread = useNotifications().filter(({ isRead }) => !isRead).length;
  return (
    <Popover
      label="Notifications"
      className="w-96"
      trigger={(props) => (
        <span className="relative inline-flex">
          <IconButton
            ref={bell}
            label={unread === 0 ? "Notifications" : `Notifications, ${unread} unread`}
            icon={Bell}
            keys="n"
            {...props}
          />
          {unread > 0 && (
            <span
              aria-hidden="true"
              className="forced-chosen pointer-events-none absolute end-0 top-0 grid h-4 min-w-4 place-items-center rounded-full bg-pulse px-1 text-[0.625rem] font-bold text-black"
            >
              {unread > 99 ? "99+" : unread}
            </span>
          )}
        </span>
      )}
    >
      {() => <List />}
    </Popover>
  );
}

function List(): ReactNode {
  const all = useNotifications();
  const [filter, setFilter] = useState<Filter>("all");
  const { notifications: areOn } = usePreferences().preferences;
  const shown = all.filter((one) => isShown(one, filter));
  return (
    <>
      <div className="sticky top-0 z-1 grid gap-2 border-b border-line bg-raised p-3">
        <div className="flex items-center gap-1">
          <h2 className="flex-1 text-sm font-semibold">Notifications</h2>
          <Button size="small" variant="quiet" icon={Check} onClick={markAllRead}>
            Mark all read
          </Button>
          <IconButton label="Clear the list" icon={Trash2} size="small" onClick={clearNotifications} />
        </div>
        <Segmented label="Which notifications" options={FILTERS} value={filter} onChange={setFilter} />
      </div>
      {shown.length === 0 ? (
        <EmptyState
          icon={areOn ? Bell : BellOff}
          title={all.length === 0 ? "Nothing so far" : "Nothing here"}
        >
          {areOn ? (
            <p>
              Alerts, changes of the connection and what you did are kept here for as long as the page is
              open.
            </p>
          ) : (
            <p>Notifications are switched off: see the settings behind the connection’s mark.</p>
          )}
        </EmptyState>
      ) : (
        <ul>
          {shown.map((one) => (
            <Entry key={one.id} {...one} />
          ))}
        </ul>
      )}
    </>
  );
}

function Entry({ id, title, message, severity, at, count, isRead }: Notification): ReactNode {
  return (
    <li className="flex gap-3 border-b border-line px-3 py-2.5 last:border-0">
      <span className="mt-1.5">
        <Mark tone={TONES[severity]} label={severity} />
      </span>
      <div className="min-w-0 flex-1 text-sm">
        <p className={classes("break-words", !isRead && "font-semibold")}>
          {title}
          {count > 1 && <span className="font-normal text-muted"> ×{count}</span>}
        </p>
        {message && <p className="break-words text-muted">{message}</p>}
        <p className="text-xs text-muted">
          <Age at={at} />
        </p>
      </div>
      {!isRead && (
        <IconButton label={`Mark read: ${title}`} icon={Check} size="small" onClick={() => markRead(id)} />
      )}
    </li>
  );
}

function isShown({ isRead, severity }: Notification, filter: Filter): boolean {
  if (filter === "unread") return !isRead;
  return filter === "all" || severity === "warning" || severity === "error";
}
