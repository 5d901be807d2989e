// Who is signed in. The access token lives in memory only; what outlasts a page is the server's HttpOnly cookie.

import { subjectOf } from "./access-token.ts";
import { type Answer, call, type MethodOf, type Options, type Path, Refusal, type Schema } from "./api.ts";

/** Empty on a fresh page, where only the cookie may know of a session. */
let accessToken = "";
/** The renewal that is under way: calls that find no token together wait for one, and not for one each. */
let renewal: Promise<void> | null = null;

/** A session that goes on. */
export interface SignedIn {
  /** Whose it is. */
  readonly user: string;
  /** When it ends, in milliseconds of `Date.now()`: unused, and whatever one does. */
  readonly unused: number;
  readonly last: number;
}

/** A session; or how it went: it ended by itself, or its user logged out and nothing of it is to stay. */
export type Standing = SignedIn | "ended" | "left";

type Listener = (standing: Standing) => void;
const listeners = new Set<Listener>();
/** Unknown until the first answer. */
let known: Standing | undefined;

/** Calls `listener` whenever the session changes, in whichever tab that was, and at once where it is known already. */
export function onSession(listener: Listener): void {
  listeners.add(listener);
  if (known !== undefined) listener(known);
}

/** Absent where a page of another origin opened the document in a way that has none. */
const tabs = "BroadcastChannel" in globalThis ? new BroadcastChannel("session") : null;
tabs?.addEventListener("message", ({ data }: MessageEvent<Standing>) => {
  if (typeof data === "string") accessToken = "";
  hear(data);
});

function hear(standing: Standing): void {
  known = standing;
  for (const listener of listeners) listener(standing);
}

function tell(standing: Standing): void {
  tabs?.postMessage(standing);
  hear(standing);
}

function take(session: Schema<"AccessToken">): void {
  accessToken = session.access_token;
  const now = Date.now();
  tell({ user: subjectOf(accessToken), unused: now + session.session_idle_in * 1000, last: now + session.session_ends_in * 1000 });
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
    if (isSignedOut(failure)) {
      accessToken = "";
      tell("ended");
    }
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

/** Ends the session here, in all tabs, and leaves nothing of it: the server has ended it, as its user wished. */
export function endSession(): void {
  accessToken = "";
  tell("left");
}

/** Whether a call failed because nobody is signed in, or no longer. */
export function isSignedOut(failure: unknown): boolean {
  return failure instanceof Refusal && failure.status === 401;
}
