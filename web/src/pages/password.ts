// /mot-de-passe: where mailed links lead. The link's token is in the fragment, which no server, proxy or log ever
// sees; from here on it lives in this module's memory only, and leaves it only in the body of a request.

import { call, Refusal, type Schema } from "../lib/api.ts";
import { find } from "../lib/dom.ts";
import { explain, onSubmit } from "../lib/forms.ts";
import { describe, onToken } from "../lib/mailed-page.ts";
import { enter } from "../lib/states.ts";
import { watchStrength } from "../lib/strength.ts";

const PURPOSES = {
  activation: {
    title: "Créez votre mot de passe",
    intro: "Dernière étape de votre inscription\u00a0: ce mot de passe ouvrira votre espace personnalisé.",
  },
  reset: {
    title: "Choisissez un nouveau mot de passe",
    intro: "Il remplace l’ancien. Toutes vos connexions en cours seront fermées.",
  },
};

const form = find<HTMLFormElement>("#password-form");
const email = find<HTMLInputElement>("#email");
const password = find<HTMLInputElement>("#password");
const confirmation = find<HTMLInputElement>("#password_confirmation");
const showPasswords = find<HTMLInputElement>("#show-passwords");

let token = "";

async function checkLink() {
  if (!token) {
    enter("missing");
    return;
  }
  enter("checking", { quietly: true });
  const asked = token;
  try {
    const link = await call("POST", "/api/password/link", { body: { token } });
    if (asked === token) showForm(link);
  } catch (failure) {
    if (asked === token) refuse(failure);
  }
}

const draftBox = find("#draft");
const declineButton = find<HTMLButtonElement>("#decline");
const declineAlert = find("#decline-alert");

// What somebody typed at sign-up, as text alone: it may have been a stranger.
function showDraft(draft: Schema<"SignUpDraft"> | undefined) {
  draftBox.hidden = !draft;
  declineAlert.textContent = "";
  const [person, establishment] = draft ? describe(draft) : ["", ""];
  find("#draft-person").textContent = person;
  find("#draft-establishment").textContent = establishment;
}

async function decline() {
  declineButton.disabled = true;
  try {
    await call("POST", "/api/password/decline", { body: { token } });
    forget();
    enter("declined");
  } catch (failure) {
    if (isInvalidLink(failure)) refuse(failure);
    else declineAlert.textContent = explain(failure);
  } finally {
    declineButton.disabled = false;
  }
}

function showForm({ email: address, purpose, draft }: Schema<"PasswordLinkPurpose">) {
  const { title, intro } = purpose === "activation" ? PURPOSES.activation : PURPOSES.reset;
  form.reset();
  find('[data-state="form"] h1').textContent = title;
  find("[data-intro]").textContent = intro;
  email.value = address;
  showDraft(draft);
  enter("form");
}

function refuse(failure: unknown) {
  if (isInvalidLink(failure)) {
    forget();
    enter("invalid");
    return;
  }
  find("[data-reason]").textContent = explain(failure);
  enter("trouble");
}

function isInvalidLink(failure: unknown) {
  return failure instanceof Refusal && failure.status === 410;
}

function forget() {
  token = "";
  showDraft(undefined);
  form.reset();
}

function setPasswordType() {
  const type = showPasswords.checked ? "text" : "password";
  password.type = type;
  confirmation.type = type;
}

showPasswords.addEventListener("change", setPasswordType);
form.addEventListener("reset", () => {
  // The event comes before the fields are reset.
  showPasswords.checked = false;
  setPasswordType();
});

watchStrength(password, find<HTMLMeterElement>("#strength"), find("#strength-text"), () => [email.value]);

onSubmit(form, async (fields) => {
  // Browsers remember what was typed into text fields, so what is sent is a password field again.
  showPasswords.checked = false;
  setPasswordType();
  try {
    await call("POST", "/api/password", {
      body: { token, password: fields("password"), password_confirmation: fields("password_confirmation") },
    });
  } catch (failure) {
    if (!isInvalidLink(failure)) throw failure;
    refuse(failure);
    return;
  }
  forget();
  enter("done");
});

declineButton.addEventListener("click", decline);
find("#retry").addEventListener("click", checkLink);

onToken((found) => {
  token = found;
  void checkLink();
});
