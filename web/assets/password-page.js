// /mot-de-passe: where mailed links lead. The link's token is in the fragment, which no server, proxy or log ever
// sees; from here on it lives in this module's memory only, and leaves it only in the body of a request.

import { call, Refusal } from "./api.js";
import { explain, onSubmit } from "./forms.js";
import { describe, enter, takeToken } from "./mailed-page.js";
import { watchStrength } from "./strength.js";

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

const form = document.getElementById("password-form");
const { email, password, password_confirmation: confirmation } = form.elements;
const showPasswords = document.getElementById("show-passwords");

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

const draftBox = document.getElementById("draft");
const declineButton = document.getElementById("decline");
const declineAlert = document.getElementById("decline-alert");

// What somebody typed at sign-up, as text alone: it may have been a stranger.
function showDraft(draft) {
  draftBox.hidden = !draft;
  declineAlert.textContent = "";
  let [person, establishment] = ["", ""];
  if (draft) {
    [person, establishment] = describe(draft);
  }
  document.getElementById("draft-person").textContent = person;
  document.getElementById("draft-establishment").textContent = establishment;
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

function showForm({ email: address, purpose, draft }) {
  const { title, intro } = PURPOSES[purpose] ?? PURPOSES.reset;
  form.reset();
  form.closest("[data-state]").querySelector("h1").textContent = title;
  document.querySelector("[data-intro]").textContent = intro;
  email.value = address;
  showDraft(draft);
  enter("form");
}

function refuse(failure) {
  if (isInvalidLink(failure)) {
    forget();
    enter("invalid");
    return;
  }
  document.querySelector("[data-reason]").textContent = explain(failure);
  enter("trouble");
}

function isInvalidLink(failure) {
  return failure instanceof Refusal && failure.status === 410;
}

function forget() {
  token = "";
  showDraft(null);
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

watchStrength(password, document.getElementById("strength"), document.getElementById("strength-text"), () => [
  email.value,
]);

onSubmit(form, async (fields) => {
  // Browsers remember what was typed into text fields, so what is sent is a password field again.
  showPasswords.checked = false;
  setPasswordType();
  try {
    await call("POST", "/api/password", {
      body: { token, password: fields.password, password_confirmation: fields.password_confirmation },
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
document.getElementById("retry").addEventListener("click", checkLink);

function start() {
  token = takeToken();
  checkLink();
}

// A second link pasted into this tab changes the fragment alone, which loads no page.
addEventListener("hashchange", start);
start();
