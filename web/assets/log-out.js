// The log-out form of every page that somebody signed in sees.

import { onSubmit } from "./forms.js";
import { logOut } from "./session.js";

const FORM = `
  <form id="log-out-form" method="post">
    <p class="alert" role="alert"></p>
    <button type="submit" class="secondary">Se déconnecter</button>
  </form>`;

/**
 * Puts the form at the end of a part of the page.
 * @param {HTMLElement} place hidden as long as nobody is signed in
 */
export function offerLogOut(place) {
  place.insertAdjacentHTML("beforeend", FORM);
  const form = place.querySelector("#log-out-form");
  onSubmit(form, async () => {
    await logOut();
    // A new document, in the place of this one: nothing of what was shown stays, nor can one go back to it.
    location.replace("/");
  });
  // A page that the browser kept whole, to go back to, may be of a session that has ended on another page since.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && !place.hidden) location.reload();
  });
}
