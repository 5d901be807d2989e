// /: log in, ask for a new password and, once signed in, what comes next.

import { call } from "./api.js";
import { onSubmit } from "./forms.js";
import { applicationItems, establishmentSentence, nextSteps, newsItems } from "./home-view.js";
import { offerLogIn } from "./log-in.js";
import { offerLogOut } from "./log-out.js";
import { callSignedIn } from "./session.js";

const signedOut = document.querySelector('[data-signed="out"]');
const signedIn = document.querySelector('[data-signed="in"]');
const forgotForm = document.getElementById("forgot-form");

offerLogIn(document.getElementById("connexion"), openHome);
offerLogOut(signedIn);

onSubmit(forgotForm, async ({ email }) => {
  const confirmation = forgotForm.querySelector("[role=status]");
  confirmation.textContent = "";
  const { message } = await call("POST", "/api/password/forgot", { body: { email } });
  confirmation.textContent = message;
});

async function openHome() {
  showHome(await callSignedIn("GET", "/api/home"));
}

function showHome(home) {
  const heading = signedIn.querySelector("[data-greeting]");
  heading.textContent = home.user.greeting;
  signedIn.querySelector("[data-establishment]").textContent = establishmentSentence(home.establishment);
  signedIn.querySelector("[data-next]").replaceChildren(...nextSteps(home));
  signedIn.querySelector("[data-applications]").replaceChildren(...applicationItems(home.applications));
  const news = signedIn.querySelector("[data-news]");
  news.replaceChildren(...newsItems(home.news));
  news.closest("section").hidden = home.news.length === 0;

  signedOut.hidden = true;
  signedIn.hidden = false;
  heading.focus();
  // Loaded anew, the page opens the home again.
  history.replaceState(null, "", "#espace");
}

// The pages for those who are signed in lead back with this fragment: the session is open, so nobody logs in again.
// Where it has ended meanwhile, the log-in form stands there anyway.
if (location.hash === "#espace") openHome().catch(() => {});
