// /inscription: the form, the check of what was understood of it, and what to do next. Nothing is stored before the
// confirmation; what was typed stays in the form for as long as the page is open.

import { call, Refusal, type Schema } from "../lib/api.ts";
import { fetchDocument, showDocument } from "../lib/documents.ts";
import { all, find } from "../lib/dom.ts";
import { explain, type Fields, focusField, onSubmit, showFailure, withWrongFields, wrongFields } from "../lib/forms.ts";
import { originOf } from "../lib/origin.ts";
import { groupSiret } from "../lib/siret.ts";
import { enter } from "../lib/states.ts";

const form = find<HTMLFormElement>("#sign-up-form");
const confirmForm = find<HTMLFormElement>("#confirm-form");
const againForm = find<HTMLFormElement>("#again-form");
const accepted = find<HTMLInputElement>("#accepted");
const termsBox = find("#terms-text");

const origin = originOf(location.search);

/** The terms as they are shown: what the reader accepts is what they see. */
let terms: Schema<"DocumentReference"> | null = null;

/** What was checked last, as it was sent. */
let checked: Schema<"Signup"> | null = null;

/** The key of the next sign-up: sent again because its answer was lost, it is the same one. */
let key = "";

/** Fetches the current terms, which those that were shown before may no longer be. */
async function showTerms(): Promise<Schema<"DocumentReference">> {
  const text = await fetchDocument("terms");
  if (terms?.sha256 === text.sha256) return terms;
  // Who accepted the text before has not accepted this one.
  if (terms) accepted.checked = false;
  showDocument(termsBox, text);
  return (terms = { version: text.version, sha256: text.sha256 });
}

function tryToShowTerms() {
  showTerms().catch((failure: unknown) => {
    termsBox.textContent = explain(failure);
  });
}

/** What is typed, as the portal takes it; it says itself what is missing. */
function signUpOf(fields: Fields, shown: Schema<"DocumentReference">): Schema<"Signup"> {
  return {
    siret: fields("siret"),
    civility: fields("civility") as Schema<"Civility">,
    last_name: fields("last_name"),
    first_name: fields("first_name"),
    job_title: fields("job_title"),
    email: fields("email"),
    email_confirmation: fields("email_confirmation"),
    terms: shown,
    ...(origin ? { origin } : {}),
  };
}

onSubmit(form, async (fields) => {
  const body = signUpOf(fields, terms ?? (await showTerms()));
  const missing: Record<string, string> = accepted.checked
    ? {}
    : { accepted: "Lisez les conditions générales d’utilisation, puis cochez cette case." };
  let draft: Schema<"SignupDraft">;
  try {
    draft = await call("POST", "/api/signup/check", { body });
  } catch (failure) {
    throw withWrongFields(failure, missing);
  }
  if (!accepted.checked) throw wrongFields(missing);
  checked = body;
  key = crypto.randomUUID();
  showDraft(draft, body.terms);
  enter("check");
  // Who changed a line is still on the entry of the check.
  if (history.state !== "check") history.pushState("check", "");
});

/** What was understood, as text alone. */
function showDraft(draft: Schema<"SignupDraft">, { version }: Schema<"DocumentReference">) {
  const lines = {
    siret: groupSiret(draft.siret),
    civility: draft.civility === "mme" ? "Madame" : "Monsieur",
    last_name: draft.last_name,
    first_name: draft.first_name,
    job_title: draft.job_title,
    email: draft.email,
    accepted: `Lues et acceptées (version ${version})`,
  };
  for (const [name, text] of Object.entries(lines)) find(`[data-checked="${name}"]`).textContent = text;
  find("[data-address]").textContent = draft.email;
}

async function signUp(): Promise<string> {
  if (!checked) throw new Error("nothing was checked");
  const { message } = await call("POST", "/api/signup", { body: checked, idempotencyKey: key });
  // What is asked for from now on is asked for anew.
  key = crypto.randomUUID();
  return message;
}

/** Leads back to the form with what the portal found wrong after all. */
async function correct(failure: unknown) {
  if (failure instanceof Refusal && failure.is("document-outdated")) {
    await showTerms();
    find<HTMLDetailsElement>("#terms").open = true;
    enter("form", { quietly: true });
    showFailure(form, wrongFields({ accepted: explain(failure) }));
  } else if (failure instanceof Refusal && failure.problem.errors) {
    enter("form", { quietly: true });
    showFailure(form, failure);
  } else {
    throw failure;
  }
}

onSubmit(confirmForm, async () => {
  try {
    await signUp();
  } catch (failure) {
    await correct(failure);
    return;
  }
  enter("sent");
  history.replaceState("sent", "");
});

onSubmit(againForm, async () => {
  const confirmation = find("[role=status]", againForm);
  confirmation.textContent = "";
  try {
    await signUp();
  } catch (failure) {
    await correct(failure);
    return;
  }
  const now = new Date().toLocaleTimeString("fr-FR", { hour: "2-digit", minute: "2-digit" });
  confirmation.textContent = `Votre demande de ${now} est enregistrée.`;
});

for (const button of all<HTMLButtonElement>("[data-change]")) {
  button.addEventListener("click", () => {
    enter("form", { quietly: true });
    focusField(find(`#${button.dataset["change"] ?? ""}`));
  });
}

// Back leads from the check to the form, and forward to the check, as between pages.
addEventListener("popstate", ({ state }) => {
  const step: unknown = state;
  enter(checked && (step === "check" || step === "sent") ? step : "form");
});

find("#terms").addEventListener("toggle", () => {
  if (!terms) tryToShowTerms();
});
tryToShowTerms();
