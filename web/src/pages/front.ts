// /: log in, ask for a new password and, once signed in, what comes next.

import { call, type Schema } from "../lib/api.ts";
import { find } from "../lib/dom.ts";
import { onSubmit } from "../lib/forms.ts";
import { applicationItems, establishmentSentence, newsItems, nextSteps } from "../lib/home-view.ts";
import { offerLogIn } from "../lib/log-in.ts";
import { offerLogOut } from "../lib/log-out.ts";
import { originOf } from "../lib/origin.ts";
import { callSignedIn } from "../lib/session.ts";

const signedOut = find('[data-signed="out"]');
const signedIn = find('[data-signed="in"]');
const forgotForm = find<HTMLFormElement>("#forgot-form");

offerLogIn(openHome);
offerLogOut(signedIn);

onSubmit(forgotForm, async (fields) => {
  const confirmation = find("[role=status]", forgotForm);
  confirmation.textContent = "";
  const { message } = await call("POST", "/api/password/forgot", { body: { email: fields("email") } });
  confirmation.textContent = message;
});

const origin = originOf(location.search);
if (origin) find<HTMLAnchorElement>("[data-sign-up]").search = `?origine=${origin}`;

async function openHome() {
  showHome(await callSignedIn("GET", "/api/home"));
}

function showHome(home: Schema<"Home">) {
  const heading = find("[data-greeting]", signedIn);
  heading.textContent = home.user.greeting;
  find("[data-establishment]", signedIn).textContent = establishmentSentence(home.establishment);
  find("[data-next]", signedIn).replaceChildren(...nextSteps(home));
  find("[data-applications]", signedIn).replaceChildren(...applicationItems(home.applications));
  find("[data-news]", signedIn).replaceChildren(...newsItems(home.news));
  find("#news", signedIn).hidden = home.news.length === 0;

  signedOut.hidden = true;
  signedIn.hidden = false;
  heading.focus();
  // Loaded anew, the page opens the home again.
  history.replaceState(null, "", "#espace");
}

// The pages for those who are signed in lead back with this fragment: the session is open, so nobody logs in again.
// Where it has ended meanwhile, the log-in form stands there anyway.
if (location.hash === "#espace") openHome().catch(() => undefined);
