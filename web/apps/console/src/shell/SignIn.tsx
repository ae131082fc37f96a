/**
 * Signing in: with a link from the server's own terminal, with a name and a password, or with a token.
 *
 * As a page where nobody is signed in, and as a dialog over the page when a session has ended. The address stays what it
 * is, so that after signing in one is where one wanted to be.
 */

import { type FormEvent, type ReactNode, useState } from "react";
import type { ApiError } from "../api.js";
import { type Credentials, check, signIn } from "../session.js";
import { Button } from "../ui/Button.js";
import { Dialog } from "../ui/Dialog.js";
import { CopyLine } from "../ui/EmptyState.js";
import { Fault } from "../ui/ErrorBoundary.js";
import { Field, Input, TextArea } from "../ui/Field.js";
import { Tabs } from "../ui/Tabs.js";
import { Pulse } from "./Wordmark.js";

const WAYS = [
  { id: "password", label: "Password" },
  { id: "link", label: "Link" },
  { id: "token", label: "Token" },
] as const;

type Way = (typeof WAYS)[number]["id"];

export function SignIn({ error }: { readonly error?: string | undefined }): ReactNode {
  return (
    <Lobby title="Sign in to see and steer what happens now">
      <SignInForm key={error} error={error} />
    </Lobby>
  );
}

export function SessionEnded({ user }: { readonly user: string }): ReactNode {
  return (
    <Dialog
      open
      insistent
      shape="small"
      onClose={() => {}}
      title="Your session has ended"
      description={`Sign in again as ${user} to go on. What is on the page stays as it is.`}
    >
      <SignInForm user={user} />
    </Dialog>
  );
}

export function Unreachable({ error }: { readonly error: ApiError }): ReactNode {
  return (
    <Lobby title="There is no answer from the server">
      <Fault title="The server could not be asked who you are." error={error} retry={() => void check()} />
    </Lobby>
  );
}

function Lobby({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactNode {
  return (
    <main className="grid min-h-dvh content-center gap-6 py-8">
      <div aria-hidden="true" className="flex items-center">
        <span className="mt-[3px] h-[3.4px] flex-1 bg-linear-to-r from-transparent to-pulse" />
        <Pulse className="h-9" />
        <span className="mt-[3px] h-[3.4px] flex-1 bg-linear-to-l from-transparent to-pulse" />
      </div>
      <div className="mx-auto grid w-full max-w-sm gap-6 px-4">
        <div className="grid justify-items-center gap-1 text-center">
          <p className="text-2xl font-semibold tracking-tight">Vagus</p>
          <h1 className="text-sm text-muted">{title}</h1>
        </div>
        <div className="rounded-card border border-line bg-surface p-5">{children}</div>
      </div>
    </main>
  );
}

interface SignInFormProps {
  readonly user?: string;
  readonly error?: string | undefined;
}

function SignInForm({ user: known = "", error: first = "" }: SignInFormProps): ReactNode {
  const [way, setWay] = useState<Way>(first ? "link" : "password");
  const [user, setUser] = useState(known);
  const [password, setPassword] = useState("");
  const [token, setToken] = useState("");
  const [error, setError] = useState(first);
  const [isBusy, setBusy] = useState(false);

  const enter = async (credentials: Credentials): Promise<void> => {
    setBusy(true);
    setError("");
    try {
      await signIn(credentials);
    } catch (error) {
      setError(error instanceof Error ? error.message : String(error));
      setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isBusy) return;
    void enter(way === "token" ? { token: token.trim() } : { user, password });
  };
  const choose = (next: Way): void => {
    setWay(next);
    setError("");
  };
  return (
    <Tabs label="How to sign in" tabs={WAYS} value={way} onChange={choose}>
      <form className="grid gap-4 pt-5" onSubmit={submit}>
        <div role="alert" className="empty:hidden">
          {error && (
            <p className="rounded-control border border-bad/50 px-3 py-2 text-sm text-bad">{error}</p>
          )}
        </div>
        {way === "password" && (
          <>
            <Field label="User">
              {(control) => (
                <Input
                  {...control}
                  name="username"
                  autoComplete="username"
                  autoCapitalize="none"
                  spellCheck={false}
                  required
                  value={user}
                  onChange={({ target }) => setUser(target.value)}
                />
              )}
            </Field>
            <Field label="Password">
              {(control) => (
                <Input
                  {...control}
                  name="password"
                  type="password"
                  autoComplete="current-password"
                  required
                  value={password}
                  onChange={({ target }) => setPassword(target.value)}
                />
              )}
            </Field>
          </>
        )}
        {way === "token" && (
          <Field label="Token" hint="A JWT, as vagus token makes them. It is used once, and not kept.">
            {(control) => (
              <TextArea
                {...control}
                className="font-mono break-all"
                spellCheck={false}
                required
                value={token}
                onChange={({ target }) => setToken(target.value)}
              />
            )}
          </Field>
        )}
        {way === "link" ? (
          <div className="grid gap-3 text-sm text-muted">
            <p>
              The server prints a link when it starts. It is good for one use. Make another where the server
              runs:
            </p>
            <CopyLine>vagus link</CopyLine>
            <p>In a clone of the repository, where it was started with make run:</p>
            <CopyLine>make link</CopyLine>
          </div>
        ) : (
          <Button type="submit" variant="primary" busy={isBusy} className="w-full">
            Sign in
          </Button>
        )}
        {way === "password" && (
          <p className="text-xs text-muted">
            No user yet? Where the server runs:{" "}
            <code className="font-mono text-text">vagus user add NAME --role admin</code>, in a clone of the
            repository <code className="font-mono text-text">.venv/bin/vagus</code>.
          </p>
        )}
      </form>
    </Tabs>
  );
}
