/**
 * Asking the server over HTTP: JSON in, JSON out, and errors as the problem documents that the server makes (RFC 9457).
 *
 * The session's cookie goes along by itself. Whoever finds that the session has ended (401) tells `session.ts` through
 * `whenUnauthorized`, and the question still fails, so that nothing waits for ever.
 */

import { compare } from "./clock.js";

/** What the server answered instead, or that it did not answer. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** 0 where there was no answer at all. */
  readonly status: number;
  /** After how many seconds it is worth trying again, where the server says so. */
  readonly retryAfterS: number | null;

  constructor(status: number, message: string, retryAfterS: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }
}

/** Query parameters: a list is given once for each, and what is `undefined` is left out. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

interface Options {
  readonly query?: Query;
  readonly signal?: AbortSignal;
  /** What is changed must still be at this version. */
  readonly version?: string;
}

const DEADLINE_MS = 20_000;

let unauthorized: () => void = () => {};

export function whenUnauthorized(tell: () => void): void {
  unauthorized = tell;
}

export function get<T>(path: string, options: Options = {}): Promise<T> {
  return ask("GET", path, undefined, options);
}

export function post<T>(path: string, body: unknown = {}, options: Options = {}): Promise<T> {
  return ask("POST", path, body, options);
}

export function put<T>(path: string, body: unknown, options: Options = {}): Promise<T> {
  return ask("PUT", path, body, options);
}

export function remove<T = void>(path: string, options: Options = {}): Promise<T> {
  return ask("DELETE", path, undefined, options);
}

/** The address of something to download, with its query. */
export function addressOf(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) parameters.append(name, String(one));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** The server does not check what it answers against `T`, and neither does this: the two are released together. */
async function ask<T>(method: string, path: string, body: unknown, options: Options): Promise<T> {
  const { query, signal, version } = options;
  const askedAt = Date.now();
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const response = await told(
    fetch(addressOf(path, query), {
      method,
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(version === undefined ? {} : { "if-match": `"${version}"` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
  compare(response.headers.get("date"), askedAt);
  if (!response.ok) throw await faultOf(response);
  if (response.status === 204) return undefined as T;
  const text = await told(response.text());
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(
      response.status,
      "What came back is no answer of this server. Is there a proxy in between that answers for it?",
    );
  }
}

/** What comes from the network, with its errors in words. */
async function told<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (error instanceof DOMException && error.name === "TimeoutError") {
      throw new ApiError(0, "The server took too long to answer. Try again.");
    }
    throw new ApiError(0, "The server cannot be reached. Is it running, and is the network there?");
  }
}

async function faultOf(response: Response): Promise<ApiError> {
  if (response.status === 401) unauthorized();
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const message =
    detailOf(await response.json().catch(() => null)) || `The server answered ${response.status}.`;
  return new ApiError(response.status, message, Number.isFinite(retryAfter) ? retryAfter : null);
}

function detailOf(problem: unknown): string {
  if (typeof problem !== "object" || problem === null) return "";
  const { detail, title } = problem as { readonly detail?: unknown; readonly title?: unknown };
  return [detail, title].find((words): words is string => typeof words === "string" && words !== "") ?? "";
}
