// /adresse: where the two links of a change of address lead. The link's token is in the fragment, which no server,
// proxy or log ever sees; it leaves this module's memory only in the body of a request. Looking consumes nothing, so
// a mail scanner that opens the page changes nothing: one button does.

import { call, Refusal } from "./api.js";
import { explain, onSubmit } from "./forms.js";
import { describe, enter, takeToken } from "./mailed-page.js";

const DONE = { change: "changed", undo: "undone" };

let token = "";
let purpose = "";

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

function show(link) {
  purpose = link.purpose === "undo" ? "undo" : "change";
  const [person, establishment] = describe(link.owner);
  fill("[data-email]", link.email);
  fill("[data-person]", person);
  fill("[data-establishment]", establishment);
  enter(purpose);
}

// As text alone: somebody else may have typed it.
function fill(places, text) {
  for (const place of document.querySelectorAll(places)) place.textContent = text;
}

function refuse(failure) {
  if (isInvalidLink(failure)) {
    token = "";
    enter("invalid");
    return;
  }
  document.querySelector("[data-reason]").textContent = explain(failure);
  enter("trouble");
}

function isInvalidLink(failure) {
  return failure instanceof Refusal && failure.status === 410;
}

for (const form of document.querySelectorAll("[data-follow]")) {
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

document.getElementById("retry").addEventListener("click", checkLink);

function start() {
  token = takeToken();
  checkLink();
}

// A second link pasted into this tab changes the fragment alone, which loads no page.
addEventListener("hashchange", start);
start();
