// /gestionnaire: « Devenir gestionnaire », with the pass of a mailed link or without one. The pass is in the link's
// fragment, which no server, proxy or log ever sees; from here on it lives in this module's memory only, and leaves it
// only in the body of a claim.

import { Refusal } from "./api.js";
import { fetchDocument, showDocument } from "./documents.js";
import { explain, onSubmit, wrongFields } from "./forms.js";
import { establishmentSentence, managerSentence } from "./home-view.js";
import { offerLogIn } from "./log-in.js";
import { offerLogOut } from "./log-out.js";
import { enter, takeToken } from "./mailed-page.js";
import { callSignedIn, isSignedOut } from "./session.js";

const charterForm = document.getElementById("charter-form");
const claimForm = document.getElementById("claim-form");
const accepted = document.getElementById("accepted");

/** The documents as they are shown, by their kinds: what the reader accepts is what they see. */
const shown = {};

/** The pass; empty without one. */
let token = "";

/** The last claim, and its key: sent again because its answer was lost, it neither counts twice nor needs its pass. */
let sent = { text: "", key: "" };

function keepToken(found) {
  token = found;
  for (const place of document.querySelectorAll("[data-with-pass]")) place.hidden = !token;
  // A description is read out even where it is hidden, so the field has this one with a pass only.
  const hints = "member_number-hint member_number-error";
  const field = document.getElementById("member_number");
  field.setAttribute("aria-describedby", token ? `pass-notice ${hints}` : hints);
}

/** Shows what is to do now. Where nobody is signed in, that is to log in. */
async function start() {
  enter("checking", { quietly: true });
  try {
    await goOn();
  } catch (failure) {
    if (isSignedOut(failure)) enter("log-in");
    else stop("trouble", failure);
  }
}

async function goOn() {
  const home = await callSignedIn("GET", "/api/home");
  for (const place of document.querySelectorAll("[data-establishment]")) {
    place.textContent = establishmentSentence(home.establishment);
  }
  if (home.manager) {
    showManager(home.manager);
  } else if (!home.can_claim) {
    enter("no-account");
  } else if (home.pending_documents.includes("charter")) {
    await showText("charter");
    enter("charter");
  } else {
    await showText("account-terms");
    enter("claim");
  }
}

function showManager(manager) {
  document.querySelector("[data-manager]").textContent = managerSentence(manager);
  enter("managed");
}

/** Fetches the current text, which one that was shown before may no longer be. */
async function showText(kind) {
  const text = await fetchDocument(kind);
  if (text.sha256 === shown[kind]?.sha256) return;
  showDocument(document.getElementById(kind === "charter" ? "charter-text" : "terms-text"), text);
  // Who accepted the text before has not accepted this one.
  if (kind === "account-terms") accepted.checked = false;
  shown[kind] = { version: text.version, sha256: text.sha256 };
}

function stop(state, failure) {
  document.querySelector(`[data-state="${state}"] [data-reason]`).textContent = explain(failure);
  enter(state);
}

function isRefusal(failure, slug) {
  return failure instanceof Refusal && failure.problem.type === `/problems/${slug}`;
}

function claim(memberNumber) {
  const body = { member_number: memberNumber, account_terms: shown["account-terms"] };
  if (token) body.token = token;
  const text = JSON.stringify(body);
  if (sent.text !== text) sent = { text, key: crypto.randomUUID() };
  return callSignedIn("POST", "/api/manager-claims", { body, idempotencyKey: sent.key });
}

/** What follows a claim that was refused; thrown where the form itself says it. */
async function afterRefusal(failure) {
  if (isSignedOut(failure)) {
    enter("log-in");
  } else if (isRefusal(failure, "charter-required")) {
    await goOn();
  } else if (isRefusal(failure, "already-managed")) {
    forget();
    showManager({ named: true, ...failure.problem.manager });
  } else if (isRefusal(failure, "link-invalid")) {
    keepToken("");
    enter("invalid");
  } else if (isRefusal(failure, "too-many-attempts")) {
    stop("closed", failure);
  } else if (isRefusal(failure, "document-outdated")) {
    await showText("account-terms");
    document.getElementById("terms").open = true;
    throw wrongFields({ accepted: explain(failure) });
  } else if (isRefusal(failure, "claim-refused")) {
    // That is decided. The same number may be right another time, when the SIRET of the profile was corrected.
    sent = { text: "", key: "" };
    const used = token ? " Le lien de votre e-mail a servi à cet essai, il n’est plus valable." : "";
    keepToken("");
    throw wrongFields({ member_number: `${failure.problem.title}. ${explain(failure)}${used}` });
  } else {
    throw failure;
  }
}

/** Nothing of a claim that is decided stays behind. */
function forget() {
  keepToken("");
  claimForm.reset();
}

offerLogIn(document.querySelector('[data-state="log-in"]'), goOn);
offerLogOut(document.querySelector("[data-log-out]"));

onSubmit(charterForm, async () => {
  try {
    await callSignedIn("POST", "/api/acceptances", { body: { kind: "charter", ...shown.charter } });
  } catch (failure) {
    if (isSignedOut(failure)) {
      enter("log-in");
      return;
    }
    if (isRefusal(failure, "document-outdated")) await showText("charter");
    throw failure;
  }
  await goOn();
});

onSubmit(claimForm, async ({ member_number: memberNumber }) => {
  const missing = {};
  if (!memberNumber.trim()) missing.member_number = "Saisissez le numéro adhérent.";
  if (!accepted.checked) missing.accepted = "Lisez les conditions générales, puis cochez cette case.";
  if (Object.keys(missing).length > 0) throw wrongFields(missing);

  try {
    const { member_number: number } = await claim(memberNumber);
    document.querySelector("[data-number]").textContent = number;
  } catch (failure) {
    await afterRefusal(failure);
    return;
  }
  forget();
  enter("done");
});

for (const button of document.querySelectorAll("[data-again]")) button.addEventListener("click", start);

function followLink() {
  keepToken(takeToken());
  start();
}

// A second link pasted into this tab changes the fragment alone, which loads no page.
addEventListener("hashchange", followLink);
followLink();
