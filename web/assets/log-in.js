// The log-in form of every page that needs somebody signed in.

import { onSubmit } from "./forms.js";
import { logIn } from "./session.js";

const FORM = `
  <form id="log-in-form" method="post" novalidate>
    <p class="alert" role="alert"></p>
    <div class="field">
      <label for="email">Identifiant (adresse e-mail)</label>
      <p class="error" id="email-error"></p>
      <input id="email" name="email" type="email" autocomplete="username" autocapitalize="none" spellcheck="false"
        required aria-describedby="email-error">
    </div>
    <div class="field">
      <label for="password">Mot de passe</label>
      <p class="error" id="password-error"></p>
      <input id="password" name="password" type="password" autocomplete="current-password" required
        aria-describedby="password-error">
    </div>
    <button type="submit">Se connecter</button>
  </form>`;

/**
 * Puts the form at the end of a section.
 * @param {HTMLElement} section
 * @param {() => Promise<void>} goOn what comes once somebody is signed in; where it fails, the form says so
 */
export function offerLogIn(section, goOn) {
  section.insertAdjacentHTML("beforeend", FORM);
  const form = section.querySelector("form");
  onSubmit(form, async ({ email, password }) => {
    await logIn(email, password);
    await goOn();
    form.reset();
  });
}
