/** The one place that speaks HTTP: adds the CSRF header, turns problem+json into `ApiError`. */
import { ref } from "vue";

export type Query = Record<string, string | number | boolean | readonly (string | number)[] | null | undefined>;

/** A refusal by the server: a code and its parameters, never prose (the catalogue composes the text). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly params: Record<string, unknown> = {},
  ) {
    super(code);
  }
}

/** The server did not answer at all: the request may be repeated. */
export class Unreachable extends ApiError {
  constructor() {
    super(0, "unreachable");
  }
}

let csrfToken = "";
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

/** Milliseconds to add to this machine's clock to get the server's; workstation clocks drift. */
export const serverSkewMs = ref(0);

function noteServerClock(response: Response): void {
  const date = response.headers.get("Date");
  if (!date) return;
  const skew = Date.parse(date) - Date.now();
  // The header has whole seconds: a difference below two seconds says nothing.
  serverSkewMs.value = Math.abs(skew) < 2000 ? 0 : skew;
}

type SignedOutHandler = () => void;
let onSignedOut: SignedOutHandler = () => {};
export function whenSignedOut(handler: SignedOutHandler): void {
  onSignedOut = handler;
}

export function buildUrl(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === "") continue;
    const text = Array.isArray(value) ? value.join(",") : String(value);
    if (text !== "") search.set(name, text);
  }
  const tail = search.toString();
  return tail ? `${path}?${tail}` : path;
}

async function readProblem(response: Response): Promise<ApiError> {
  const problem: unknown = await response.json().catch(() => null);
  if (problem && typeof problem === "object") {
    const { code, params } = problem as { code?: unknown; params?: unknown };
    if (typeof code === "string") {
      return new ApiError(response.status, code, (params ?? {}) as Record<string, unknown>);
    }
  }
  return new ApiError(response.status, `http_${response.status}`);
}

export interface RequestOptions {
  query?: Query;
  body?: unknown;
  signal?: AbortSignal | undefined;
  /** When the officer tapped, by this device's clock, where that may be a while ago. */
  tappedAt?: string | undefined;
  /** False where a 401 is an ordinary answer (the log-in itself). */
  redirectWhenSignedOut?: boolean;
}

export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.signal) init.signal = options.signal;
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken;
  if (options.tappedAt !== undefined) {
    // Both by the same clock, right or wrong: the server counts what lies between.
    headers["X-Tapped-At"] = options.tappedAt;
    headers["X-Sent-At"] = new Date().toISOString();
  }
  if (options.body instanceof FormData) {
    init.body = options.body;
  } else if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  const response = await fetch(buildUrl(path, options.query), init).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Unreachable();
  });
  noteServerClock(response);
  if (!response.ok) {
    const problem = await readProblem(response);
    if (response.status === 401 && options.redirectWhenSignedOut !== false) onSignedOut();
    throw problem;
  }
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal) =>
  request<T>("GET", path, { query: query ?? {}, signal });
export const post = <T>(path: string, body: unknown = {}, tappedAt?: string) => request<T>("POST", path, { body, tappedAt });
export const patch = <T>(path: string, body: unknown) => request<T>("PATCH", path, { body });
export const del = <T>(path: string) => request<T>("DELETE", path);

/** Has the browser keep a file that the server makes; answers its name. Refusals come as of any other request. */
export async function download(path: string, query: Query = {}): Promise<string> {
  const response = await fetch(buildUrl(path, query), { credentials: "same-origin" }).catch(() => {
    throw new Unreachable();
  });
  if (!response.ok) {
    const problem = await readProblem(response);
    if (response.status === 401) onSignedOut();
    throw problem;
  }
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? path.split("/").at(-1)!;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  // The browser still reads from it for a moment.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return name;
}
