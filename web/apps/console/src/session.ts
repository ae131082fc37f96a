/**
 * Who looks at the page, as the server says.
 *
 * `out` shows the sign-in page; `ended` shows a dialog over the page, which stays as it is, so that nothing is lost.
 * Nothing secret is kept here: the cookie is the browser's, and scripts cannot read it.
 */

import { ApiError, get, post, remove, whenUnauthorized } from "./api.js";
import { cellOf, useStore } from "./store.js";

export interface Session {
  readonly id: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly method: "link" | "password" | "token" | "none";
  readonly expiresAt: number | null;
  readonly idleMs: number | null;
  /** Nobody signs in at this server: it is for trying things on a laptop. */
  readonly insecure: boolean;
  readonly version: string;
  readonly node: string;
}

/** One of the sessions that there are. Where it was begun is in `address` and `agent`. */
export interface ListedSession {
  readonly id: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly method: Session["method"];
  readonly createdAt: number;
  /** Up to a minute behind. */
  readonly seenAt: number;
  readonly expiresAt: number;
  readonly address: string;
  readonly agent: string;
  /** The one of this page. */
  readonly current: boolean;
}

export type Credentials =
  | { readonly code: string }
  | { readonly user: string; readonly password: string }
  | { readonly token: string };

export type SessionState =
  | { readonly state: "asking" }
  | { readonly state: "unreachable"; readonly error: ApiError }
  | { readonly state: "out"; readonly error?: string }
  | { readonly state: "in"; readonly session: Session }
  | { readonly state: "ended"; readonly session: Session };

const ROUTE = "/api/console/session";

const current = cellOf<SessionState>({ state: "asking" });

export const session = { get: current.get, subscribe: current.subscribe };

/** Ask who is there: at the start, and when the connection was refused. */
export async function check(): Promise<void> {
  try {
    enter(await get<Session>(ROUTE));
  } catch (error) {
    if (error instanceof ApiError && error.status !== 401 && !known()) {
      current.set({ state: "unreachable", error });
    }
  }
}

/** Throws an `ApiError` that says what was wrong. */
export async function signIn(credentials: Credentials): Promise<void> {
  enter(await post<Session>(ROUTE, credentials));
}

/** Use the code of a sign-in link; when it is used up the sign-in page says so, unless somebody is signed in anyway. */
export async function signInByLink(code: string): Promise<void> {
  try {
    await signIn({ code });
  } catch (error) {
    await check();
    const { state } = current.get();
    if (state === "out" && error instanceof ApiError) current.set({ state, error: error.message });
  }
}

export async function signOut(): Promise<void> {
  await remove(ROUTE);
  current.set({ state: "out" });
  tabs.postMessage("out");
}

const SESSIONS = "/api/console/sessions";

/** One's own, newest first; for admins everybody's. */
export async function listSessions(signal: AbortSignal): Promise<readonly ListedSession[]> {
  return (await get<{ readonly sessions: readonly ListedSession[] }>(SESSIONS, { signal })).sessions;
}

/** End sessions, and their connections within seconds. One that is over already is as well as ended. */
export async function endSessions(ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    try {
      await remove(`${SESSIONS}/${encodeURIComponent(id)}`);
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
}

function enter(session: Session): void {
  const before = known();
  // What is on the page may not be for somebody else.
  if (before !== undefined && before.user !== session.user) location.reload();
  const wasIn = current.get().state === "in";
  current.set({ state: "in", session });
  if (!wasIn) tabs.postMessage("in");
}

/** Who signs in or out in one tab does so in all of them: they have one cookie. */
const tabs = new BroadcastChannel("vagus.session");
tabs.onmessage = () => void check();

function known(): Session | undefined {
  const now = current.get();
  return now.state === "in" || now.state === "ended" ? now.session : undefined;
}

whenUnauthorized(() => {
  const session = known();
  if (session) current.set({ state: "ended", session });
  else if (current.get().state !== "out") current.set({ state: "out" });
});

/** Who is signed in; only below what is shown to those who are. */
export function useSession(): Session {
  const now = useStore(session);
  if (now.state !== "in" && now.state !== "ended") throw new Error("nobody is signed in");
  return now.session;
}

/** Whether somebody has one of these roles; an admin has all but the auditor's. */
export function hasRole({ roles }: Pick<Session, "roles">, ...wanted: readonly string[]): boolean {
  return wanted.some((role) => roles.includes(role) || (role !== "auditor" && roles.includes("admin")));
}

/** ```const mayChange = useRole("operator")``` */
export function useRole(...wanted: readonly string[]): boolean {
  return hasRole(useSession(), ...wanted);
}
