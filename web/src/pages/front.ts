// /: log in, and ask for a new password.

import { call } from "../lib/api.ts";
import { find } from "../lib/dom.ts";
import { onSubmit } from "../lib/forms.ts";
import { offerLogIn } from "../lib/log-in.ts";
import { originOf } from "../lib/origin.ts";

const forgotForm = find<HTMLFormElement>("#forgot-form");

offerLogIn(() => {
  // In the place of this page: the way back from the space leads to where one came from.
  location.replace("/espace");
  return Promise.resolve();
});

onSubmit(forgotForm, async (fields) => {
  const confirmation = find("[role=status]", forgotForm);
  confirmation.textContent = "";
  const { message } = await call("POST", "/api/password/forgot", { body: { email: fields("email") } });
  confirmation.textContent = message;
});

const origin = originOf(location.search);
if (origin) find<HTMLAnchorElement>("[data-sign-up]").search = `?origine=${origin}`;
