// /contestation: where the mail leads that tells of a new manager. The link's token is in the fragment, which no
// server, proxy or log ever sees; it leaves this module's memory only in the body of a request. Opening the page does
// nothing, so a mail scanner contests nobody: one button does.

import { call, Refusal } from "../lib/api.ts";
import { find } from "../lib/dom.ts";
import { onSubmit } from "../lib/forms.ts";
import { onToken } from "../lib/mailed-page.ts";
import { enter } from "../lib/states.ts";

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

onToken((found) => {
  token = found;
  if (token) enter("contest", { quietly: true });
  else enter("missing");
});
