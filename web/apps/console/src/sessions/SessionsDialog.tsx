/** Where one is signed in, to end what is not wanted any more; for admins everybody's sessions too. */

import { useQuery } from "@tanstack/react-query";
import { Age } from "@vagus/react";
import { LogOut } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";
import type { ApiError } from "../api.js";
import { endSessions, type ListedSession, listSessions, signOut, useSession } from "../session.js";
import { Badge } from "../ui/Badge.js";
import { Button } from "../ui/Button.js";
import { Dialog } from "../ui/Dialog.js";
import { Fault } from "../ui/ErrorBoundary.js";
import { Input } from "../ui/Field.js";
import { Skeleton } from "../ui/Skeleton.js";
import { Unread } from "../ui/Unread.js";
import { agentText } from "./agents.js";

const AGAIN_MS = 10_000;
/** From so many on other people's can be filtered. */
const MANY = 8;
/** More are found by the filter. */
const SHOWN = 100;

const WAYS: Readonly<Record<ListedSession["method"], string>> = {
  link: "by a link",
  password: "with a password",
  token: "with a token",
  none: "",
};

export function SessionsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  const { user } = useSession();
  const title = useRef<HTMLHeadingElement>(null);
  const [said, setSaid] = useState("");
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState<readonly string[]>([]);
  const [fault, setFault] = useState<unknown>();
  const query = useQuery<readonly ListedSession[], ApiError>({
    queryKey: ["console", "sessions"],
    queryFn: ({ signal }) => listSessions(signal),
    refetchInterval: AGAIN_MS,
  });
  const { data, isPending, refetch } = query;
  const own = data?.filter((one) => one.user === user) ?? [];
  const others = own.filter(({ current }) => !current);
  const everybodys = data?.filter((one) => one.user !== user) ?? [];
  const found = everybodys.filter((one) => isFound(one, words.trim().toLowerCase()));

  const end = async (sessions: readonly ListedSession[], what: string): Promise<void> => {
    const ids = sessions.map(({ id }) => id);
    setBusy(ids);
    setFault(undefined);
    setSaid("");
    try {
      await endSessions(ids);
      setSaid(`${what} ended.`);
    } catch (error) {
      setFault(error);
    }
    await refetch();
    setBusy([]);
    // The button that was pressed is gone.
    title.current?.focus();
  };
  const leave = (): void => {
    setFault(undefined);
    signOut().catch(setFault);
  };
  const row = (one: ListedSession): ReactNode => (
    <Row
      key={one.id}
      session={one}
      isOwn={one.user === user}
      isBusy={busy.includes(one.id)}
      isBlocked={busy.length > 0}
      leave={leave}
      end={() => void end([one], `The session of ${one.user}, ${agentText(one.agent)},`)}
    />
  );

  return (
    <Dialog
      open
      onClose={onClose}
      shape="large"
      title="Sessions"
      description="Ending one signs out its browser. Its connections are closed within seconds."
    >
      <p role="status" className="text-sm not-empty:pb-3">
        {said}
      </p>
      {fault !== undefined && <Fault title="That did not end." error={fault} />}
      <Unread title="The sessions could not be read." query={query} />
      {isPending && <Skeleton className="h-32" />}
      {data && (
        <div className="grid gap-5">
          <section className="grid gap-1">
            <header className="flex min-h-8 items-center gap-3">
              <h3 ref={title} tabIndex={-1} className="text-sm font-semibold outline-none">
                Yours
              </h3>
              {others.length > 0 && (
                <Button
                  size="small"
                  variant="danger"
                  className="ms-auto"
                  busy={busy.length > 1}
                  blocked={busy.length > 0 && "One is being ended."}
                  onClick={() => void end(others, `${others.length} other sessions of yours`)}
                >
                  End all others
                </Button>
              )}
            </header>
            <ul>{own.map(row)}</ul>
          </section>
          {everybodys.length > 0 && (
            <section className="grid gap-1">
              <header className="flex min-h-8 flex-wrap items-center gap-3">
                <h3 className="text-sm font-semibold">Other people’s</h3>
                <span className="text-xs text-muted">{everybodys.length.toLocaleString()}</span>
                {everybodys.length >= MANY && (
                  <Input
                    type="search"
                    aria-label="Filter other people’s sessions"
                    placeholder="User, address or browser"
                    className="ms-auto max-w-64"
                    value={words}
                    onChange={({ target }) => setWords(target.value)}
                  />
                )}
              </header>
              <ul>{found.slice(0, SHOWN).map(row)}</ul>
              {found.length === 0 && <p className="text-sm text-muted">No session is like that.</p>}
              {found.length > SHOWN && (
                <p className="text-xs text-muted">
                  {(found.length - SHOWN).toLocaleString()} more: narrow the filter to see them.
                </p>
              )}
            </section>
          )}
        </div>
      )}
    </Dialog>
  );
}

function isFound({ user, address, agent }: ListedSession, words: string): boolean {
  return [user, address, agentText(agent)].some((text) => text.toLowerCase().includes(words));
}

interface RowProps {
  readonly session: ListedSession;
  readonly isOwn: boolean;
  readonly isBusy: boolean;
  readonly isBlocked: boolean;
  readonly leave: () => void;
  readonly end: () => void;
}

function Row({ session, isOwn, isBusy, isBlocked, leave, end }: RowProps): ReactNode {
  const { user, roles, method, createdAt, seenAt, expiresAt, address, agent, current } = session;
  const browser = agentText(agent);
  return (
    <li className="flex items-center gap-4 border-t border-line py-2.5">
      <div className="grid min-w-0 flex-1 gap-0.5">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
          {!isOwn && <span className="font-semibold break-all">{user}</span>}
          <span className={isOwn ? "font-semibold" : ""} title={agent}>
            {browser}
          </span>
          {current && <Badge tone="good">This page</Badge>}
          {!isOwn && roles.map((role) => <Badge key={role}>{role}</Badge>)}
        </p>
        <p className="text-xs text-muted">
          From {address || "an unknown address"}. Signed in {WAYS[method]} <Age at={createdAt} />, last used{" "}
          {current ? "now" : <Age at={seenAt} />}, ends {new Date(expiresAt).toLocaleString()} at the latest.
        </p>
      </div>
      {current ? (
        <Button size="small" icon={LogOut} onClick={leave}>
          Sign out
        </Button>
      ) : (
        <Button
          size="small"
          variant="danger"
          busy={isBusy}
          blocked={isBlocked && !isBusy && "Another one is being ended."}
          onClick={end}
        >
          End
          <span className="sr-only">
            {" "}
            the session of {user}, {browser}, from {address}
          </span>
        </Button>
      )}
    </li>
  );
}
