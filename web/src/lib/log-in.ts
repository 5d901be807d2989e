// The log-in form of every page that needs somebody signed in; its markup is `fragments/log-in.html`.

import { find } from "./dom.ts";
import { onSubmit } from "./forms.ts";
import { logIn } from "./session.ts";

/**
 * Has the page's log-in form log in.
 * @param goOn what comes once somebody is signed in; where it fails, the form says so
 */
export function offerLogIn(goOn: () => Promise<void>): void {
  const form = find<HTMLFormElement>("#log-in-form");
  onSubmit(form, async (fields) => {
    await logIn(fields("email"), fields("password"));
    await goOn();
    form.reset();
  });
}
