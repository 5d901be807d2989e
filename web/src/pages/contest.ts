// /contestation: where the mail leads that tells of a new manager. The link's token is in the fragment, which no
// server, proxy or log ever sees; it leaves this module's memory only in the body of a request. Opening the page does
// nothing, so a mail scanner contests nobody: one button does.

import { call, Refusal } from "../lib/api.ts";
import { find } from "../lib/dom.ts";
import { onSubmit } from "../lib/forms.ts";
import { enter, takeToken } from "../lib/mailed-page.ts";

let token = "";

onSubmit(find<HTMLFormElement>("#contest-form"), async () => {
  try {
    await call("POST", "/api/manager-claims/contest", { body: { token } });
  } catch (failure) {
    if (!(failure instanceof Refusal && failure.status === 410)) throw failure;
    token = "";
    enter("invalid");
    return;
  }
  token = "";
  enter("done");
});

function start() {
  token = takeToken();
  if (token) enter("contest", { quietly: true });
  else enter("missing");
}

// A second link pasted into this tab changes the fragment alone, which loads no page.
addEventListener("hashchange", start);
start();
