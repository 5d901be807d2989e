// /adresse: where the two links of a change of address lead. The link's token is in the fragment, which no server,
// proxy or log ever sees; it leaves this module's memory only in the body of a request. Looking consumes nothing, so
// a mail scanner that opens the page changes nothing: one button does.

import { call, Refusal, type Schema } from "../lib/api.ts";
import { all, find } from "../lib/dom.ts";
import { explain, onSubmit } from "../lib/forms.ts";
import { describe, onToken } from "../lib/mailed-page.ts";
import { enter } from "../lib/states.ts";

const DONE = { change: "changed", undo: "undone" };

let token = "";
let purpose: Schema<"EmailLinkPurpose">["purpose"] = "change";

async function checkLink() {
  if (!token) {
    enter("missing");
    return;
  }
  enter("checking", { quietly: true });
  const asked = token;
  try {
    const link = await call("POST", "/api/email/link", { body: { token } });
    if (asked === token) show(link);
  } catch (failure) {
    if (asked === token) refuse(failure);
  }
}

function show(link: Schema<"EmailLinkPurpose">) {
  purpose = link.purpose === "undo" ? "undo" : "change";
  const [person, establishment] = describe(link.owner);
  fill("[data-email]", link.email);
  fill("[data-person]", person);
  fill("[data-establishment]", establishment);
  enter(purpose);
}

// As text alone: somebody else may have typed it.
function fill(places: string, text: string) {
  for (const place of all(places)) place.textContent = text;
}

function refuse(failure: unknown) {
  if (isInvalidLink(failure)) {
    token = "";
    enter("invalid");
    return;
  }
  find("[data-reason]").textContent = explain(failure);
  enter("trouble");
}

function isInvalidLink(failure: unknown) {
  return failure instanceof Refusal && failure.status === 410;
}

for (const form of all<HTMLFormElement>("[data-follow]")) {
  onSubmit(form, async () => {
    try {
      await call("POST", "/api/email", { body: { token } });
    } catch (failure) {
      if (!isInvalidLink(failure)) throw failure;
      refuse(failure);
      return;
    }
    token = "";
    enter(DONE[purpose]);
  });
}

find("#retry").addEventListener("click", checkLink);

onToken((found) => {
  token = found;
  void checkLink();
});
