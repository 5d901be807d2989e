// Who is signed in. The access token lives in memory only; what outlasts a page is the server's HttpOnly cookie.

import { type Answer, call, type MethodOf, type Options, type Path, Refusal, type Schema } from "./api.ts";
import { subjectOf } from "./access-token.ts";

/** Empty on a fresh page, where only the cookie may know of a session. */
let accessToken = "";
/** The renewal that is under way: calls that find no token together wait for one, and not for one each. */
let renewal: Promise<void> | null = null;

/** When the session ends, in milliseconds of `Date.now()`: unused, and whatever one does. */
export interface SessionEnd {
  readonly unused: number;
  readonly last: number;
  /** Whose it is: unlike that of anybody else. */
  readonly whose: string;
}

type Listener = (end: SessionEnd | null) => void;
const listeners = new Set<Listener>();
/** Unknown until the first answer. */
let known: SessionEnd | null | undefined;

/**
 * Calls `listener` with the end of the session, whenever that moves, in whichever tab, and at once where it is known already;
 * with null where the session has ended.
 */
export function onSessionEnd(listener: Listener): void {
  listeners.add(listener);
  if (known !== undefined) listener(known);
}

/** Absent where a page of another origin opened the document in a way that has none. */
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("session") : null;
tabs?.addEventListener("message", ({ data }: MessageEvent<SessionEnd | null>) => {
  if (data === null) accessToken = "";
  hear(data);
});

function hear(end: SessionEnd | null): void {
  known = end;
  for (const listener of listeners) listener(end);
}

function tell(end: SessionEnd | null): void {
  tabs?.postMessage(end);
  hear(end);
}

function take(session: Schema<"AccessToken">): void {
  accessToken = session.access_token;
  const now = Date.now();
  const whose = subjectOf(accessToken);
  tell({ unused: now + session.session_idle_in * 1000, last: now + session.session_ends_in * 1000, whose });
}

/** @throws {Refusal | import("./api.ts").Unreachable} */
export async function logIn(email: string, password: string): Promise<void> {
  take(await call("POST", "/api/sessions", { body: { email, password } }));
}

/**
 * Renews the access token; `isSignedOut` tells whether there was no session.
 * @throws {Refusal | import("./api.ts").Unreachable}
 */
export function renew(): Promise<void> {
  renewal ??= call("POST", "/api/sessions/refresh")
    .then(take)
    .finally(() => {
      renewal = null;
    });
  return renewal;
}

/**
 * A call as the signed-in user; `isSignedOut` tells whether there was none. Access tokens last ten minutes, so a
 * refused one is renewed once.
 * @throws {Refusal | import("./api.ts").Unreachable}
 */
export async function callSignedIn<P extends Path, M extends MethodOf<P>>(
  method: M,
  path: P,
  ...[options]: Options<P, M>
): Promise<Answer<P, M>> {
  const signedIn = (bearer: string) => call(method, path, ...([{ ...options, bearer }] as Options<P, M>));
  try {
    const used = accessToken;
    if (used) {
      try {
        return await signedIn(used);
      } catch (failure) {
        if (!isSignedOut(failure)) throw failure;
        // Another call may have renewed it meanwhile.
        if (accessToken === used) accessToken = "";
      }
    }
    if (!accessToken) await renew();
    return await signedIn(accessToken);
  } catch (failure) {
    if (isSignedOut(failure)) endSession();
    throw failure;
  }
}

/** Ends the session here and at the server; one that the server ended already counts as ended. */
export async function logOut(): Promise<void> {
  try {
    await callSignedIn("DELETE", "/api/sessions/{id}", { path: { id: "current" } });
  } catch (failure) {
    if (!isSignedOut(failure)) throw failure;
  }
  endSession();
}

/** Ends the session here, in all tabs: the server has ended it. */
export function endSession(): void {
  accessToken = "";
  tell(null);
}

/** Whether a call failed because nobody is signed in, or no longer. */
export function isSignedOut(failure: unknown): boolean {
  return failure instanceof Refusal && failure.status === 401;
}
