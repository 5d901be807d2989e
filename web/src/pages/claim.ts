// /gestionnaire: « Devenir gestionnaire », with the pass of a mailed link or without one. The pass is in the link's
// fragment, which no server, proxy or log ever sees; from here on it lives in this module's memory only, and leaves it
// only in the body of a claim.

import { Refusal, type Schema } from "../lib/api.ts";
import { fetchDocument, showDocument } from "../lib/documents.ts";
import { all, find } from "../lib/dom.ts";
import { explain, onSubmit, wrongFields } from "../lib/forms.ts";
import { establishmentSentence, managerSentence } from "../lib/establishment.ts";
import { offerLogIn } from "../lib/log-in.ts";
import { offerLogOut } from "../lib/log-out.ts";
import { onToken } from "../lib/mailed-page.ts";
import { callSignedIn, isSignedOut } from "../lib/session.ts";
import { enter } from "../lib/states.ts";

const charterForm = find<HTMLFormElement>("#charter-form");
const claimForm = find<HTMLFormElement>("#claim-form");
const accepted = find<HTMLInputElement>("#accepted");

/** The documents as they are shown: what the reader accepts is what they see. */
const shown: Record<"charter" | "account-terms", Schema<"DocumentReference"> | null> = {
  charter: null,
  "account-terms": null,
};

/** The pass; empty without one. */
let token = "";

/** The last claim, and its key: sent again because its answer was lost, it neither counts twice nor needs its pass. */
let sent = { text: "", key: "" };

function keepToken(found: string) {
  token = found;
  for (const place of all("[data-with-pass]")) place.hidden = !token;
  // A description is read out even where it is hidden, so the field has this one with a pass only.
  const hints = "member_number-hint member_number-error";
  find("#member_number").setAttribute("aria-describedby", token ? `pass-notice ${hints}` : hints);
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
  for (const place of all("[data-establishment]")) place.textContent = establishmentSentence(home.establishment);
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

function showManager(manager: Schema<"UnnamedManager"> | Schema<"NamedManager">) {
  find("[data-manager]").textContent = managerSentence(manager);
  enter("managed");
}

/** Fetches the current text, which one that was shown before may no longer be. */
async function showText(kind: "charter" | "account-terms") {
  const text = await fetchDocument(kind);
  if (shown[kind]?.sha256 === text.sha256) return;
  showDocument(find(kind === "charter" ? "#charter-text" : "#terms-text"), text);
  // Who accepted the text before has not accepted this one.
  if (kind === "account-terms") accepted.checked = false;
  shown[kind] = { version: text.version, sha256: text.sha256 };
}

/** The text that is on the page; each form is shown after its text only. */
function seen(kind: "charter" | "account-terms"): Schema<"DocumentReference"> {
  const text = shown[kind];
  if (!text) throw new Error(`no ${kind} was shown`);
  return text;
}

function stop(state: string, failure: unknown) {
  find(`[data-state="${state}"] [data-reason]`).textContent = explain(failure);
  enter(state);
}

function claim(memberNumber: string): Promise<Schema<"Claimed">> {
  const body: Schema<"ManagerClaim"> = { member_number: memberNumber, account_terms: seen("account-terms") };
  if (token) body.token = token;
  const text = JSON.stringify(body);
  if (sent.text !== text) sent = { text, key: crypto.randomUUID() };
  return callSignedIn("POST", "/api/manager-claims", { body, idempotencyKey: sent.key });
}

/** What follows a claim that was refused; thrown where the form itself says it. */
async function afterRefusal(failure: unknown) {
  if (!(failure instanceof Refusal)) throw failure;
  if (isSignedOut(failure)) {
    enter("log-in");
  } else if (failure.is("charter-required")) {
    await goOn();
  } else if (failure.is("already-managed")) {
    forget();
    const { manager } = failure.problem;
    showManager(manager ? { named: true, ...manager } : { named: false });
  } else if (failure.is("link-invalid")) {
    keepToken("");
    enter("invalid");
  } else if (failure.is("too-many-attempts")) {
    stop("closed", failure);
  } else if (failure.is("document-outdated")) {
    await showText("account-terms");
    find<HTMLDetailsElement>("#terms").open = true;
    throw wrongFields({ accepted: explain(failure) });
  } else if (failure.is("claim-refused")) {
    // That is decided. The same number may be right another time, when the SIRET of the profile was corrected.
    sent = { text: "", key: "" };
    const used = token ? " Le lien de votre e-mail a servi à cet essai, il n’est plus valable." : "";
    keepToken("");
    throw wrongFields({ member_number: `${failure.problem.title ?? ""}. ${explain(failure)}${used}` });
  } else {
    throw failure;
  }
}

/** Nothing of a claim that is decided stays behind. */
function forget() {
  keepToken("");
  claimForm.reset();
}

offerLogIn(goOn);
offerLogOut(find("[data-log-out]"));

onSubmit(charterForm, async () => {
  try {
    await callSignedIn("POST", "/api/acceptances", { body: { kind: "charter", ...seen("charter") } });
  } catch (failure) {
    if (isSignedOut(failure)) {
      enter("log-in");
      return;
    }
    if (failure instanceof Refusal && failure.is("document-outdated")) await showText("charter");
    throw failure;
  }
  await goOn();
});

onSubmit(claimForm, async (fields) => {
  const memberNumber = fields("member_number");
  const missing: Record<string, string> = {};
  if (!memberNumber.trim()) missing["member_number"] = "Saisissez le numéro adhérent.";
  if (!accepted.checked) missing["accepted"] = "Lisez les conditions générales, puis cochez cette case.";
  if (Object.keys(missing).length > 0) throw wrongFields(missing);

  try {
    const { member_number: number } = await claim(memberNumber);
    find("[data-number]").textContent = number;
  } catch (failure) {
    await afterRefusal(failure);
    return;
  }
  forget();
  enter("done");
});

for (const button of all("[data-again]")) button.addEventListener("click", start);

onToken((found) => {
  keepToken(found);
  void start();
});
