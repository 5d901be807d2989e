// /: log in, ask for a new password and, once signed in, what comes next.

import { call } from "./api.js";
import { onSubmit } from "./forms.js";
import { callSignedIn, logIn, logOut } from "./session.js";
import { applicationItems, nextSteps, newsItems } from "./home-view.js";

const signedOut = document.querySelector('[data-signed="out"]');
const signedIn = document.querySelector('[data-signed="in"]');
const logInForm = document.getElementById("log-in-form");
const forgotForm = document.getElementById("forgot-form");

onSubmit(logInForm, async ({ email, password }) => {
  await logIn(email, password);
  showHome(await callSignedIn("GET", "/api/home"));
  logInForm.reset();
});

onSubmit(forgotForm, async ({ email }) => {
  const confirmation = forgotForm.querySelector("[role=status]");
  confirmation.textContent = "";
  const { message } = await call("POST", "/api/password/forgot", { body: { email } });
  confirmation.textContent = message;
});

onSubmit(document.getElementById("log-out-form"), async () => {
  await logOut();
  signedIn.hidden = true;
  signedOut.hidden = false;
  document.getElementById("connexion-title").focus();
});

function showHome(home) {
  const heading = signedIn.querySelector("[data-greeting]");
  heading.textContent = home.user.greeting;
  const { name, siret } = home.establishment;
  signedIn.querySelector("[data-establishment]").textContent = name
    ? `Établissement\u00a0: ${name} (SIRET ${siret})`
    : `Établissement\u00a0: SIRET ${siret}`;
  signedIn.querySelector("[data-next]").replaceChildren(...nextSteps(home));
  signedIn.querySelector("[data-applications]").replaceChildren(...applicationItems(home.applications));
  const news = signedIn.querySelector("[data-news]");
  news.replaceChildren(...newsItems(home.news));
  news.closest("section").hidden = home.news.length === 0;

  signedOut.hidden = true;
  signedIn.hidden = false;
  heading.focus();
}
