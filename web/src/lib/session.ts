// Who is signed in. The access token lives in memory only; what outlasts a page is the server's HttpOnly cookie.

import { type Answer, call, type MethodOf, type Options, type Path, Refusal } from "./api.ts";

/** Empty on a fresh page, where only the cookie may know of a session. */
let accessToken = "";

/** @throws {Refusal | import("./api.ts").Unreachable} */
export async function logIn(email: string, password: string): Promise<void> {
  const session = await call("POST", "/api/sessions", { body: { email, password } });
  accessToken = session.access_token;
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
  const signedIn = () => call(method, path, ...([{ ...options, bearer: accessToken }] as Options<P, M>));
  if (accessToken) {
    try {
      return await signedIn();
    } catch (failure) {
      if (!isSignedOut(failure)) throw failure;
      accessToken = "";
    }
  }
  const session = await call("POST", "/api/sessions/refresh");
  accessToken = session.access_token;
  return signedIn();
}

/** Ends the session here and at the server; one that the server ended already counts as ended. */
export async function logOut(): Promise<void> {
  try {
    await callSignedIn("DELETE", "/api/sessions/{id}", { path: { id: "current" } });
  } catch (failure) {
    if (!isSignedOut(failure)) throw failure;
  }
  accessToken = "";
}

/** Whether a call failed because nobody is signed in, or no longer. */
export function isSignedOut(failure: unknown): boolean {
  return failure instanceof Refusal && failure.status === 401;
}
