// The first script of the space: asks for the session while the rest is still on its way.

import { renew } from "../lib/session.ts";
import { loadView } from "./routes.ts";

/** Settles when the first answer is there; whoever is signed out then is told so by the next call. */
export const early: Promise<void> = renew().catch(() => undefined);

const view = loadView(location.pathname);
void import("./main.ts").then(async ({ begin }) => {
  await view;
  begin();
});
