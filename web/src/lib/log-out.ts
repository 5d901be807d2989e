// The log-out form of every page that somebody signed in sees; its markup is `fragments/log-out.html`.

import { find } from "./dom.ts";
import { onSubmit } from "./forms.ts";
import { logOut } from "./session.ts";

/**
 * Has the page's log-out form log out.
 * @param place the part of the page that it stands in, hidden as long as nobody is signed in
 */
export function offerLogOut(place: HTMLElement): void {
  onSubmit(find<HTMLFormElement>("#log-out-form", place), async () => {
    await logOut();
    // A new document, in the place of this one: nothing of what was shown stays, nor can one go back to it.
    location.replace("/");
  });
  // A page that the browser kept whole, to go back to, may be of a session that has ended on another page since.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted && !place.hidden) location.reload();
  });
}
