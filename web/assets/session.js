// Who is signed in. The access token lives in memory only; what outlasts a page is the server's HttpOnly cookie.

import { call, Refusal } from "./api.js";

/** Empty on a fresh page, where only the cookie may know of a session. */
let accessToken = "";

/** @throws {Refusal | import("./api.js").Unreachable} */
export async function logIn(email, password) {
  const session = await call("POST", "/api/sessions", { body: { email, password } });
  accessToken = session.access_token;
}

/**
 * A call as the signed-in user; `isSignedOut` tells whether there was none. Access tokens last ten minutes, so a
 * refused one is renewed once.
 * @throws {Refusal | import("./api.js").Unreachable}
 */
export async function callSignedIn(method, path, options = {}) {
  if (accessToken) {
    try {
      return await call(method, path, { ...options, bearer: accessToken });
    } catch (failure) {
      if (!isSignedOut(failure)) throw failure;
      accessToken = "";
    }
  }
  const session = await call("POST", "/api/sessions/refresh");
  accessToken = session.access_token;
  return call(method, path, { ...options, bearer: accessToken });
}

/** Ends the session here and at the server; one that the server ended already counts as ended. */
export async function logOut() {
  try {
    await callSignedIn("DELETE", "/api/sessions/current");
  } catch (failure) {
    if (!isSignedOut(failure)) throw failure;
  }
  accessToken = "";
}

/** Whether a call failed because nobody is signed in, or no longer. */
export function isSignedOut(failure) {
  return failure instanceof Refusal && failure.status === 401;
}
