// What forms that ask for the current password have in common.

import { Refusal } from "../../lib/api.ts";
import { explain, wrongFields } from "../../lib/forms.ts";

/** Calls what proves the current password; one that is wrong is said at its field. */
export async function withCurrent<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (failure) {
    if (failure instanceof Refusal && failure.is("bad-current-password")) {
      throw wrongFields({ current_password: `${failure.problem.title ?? "Mot de passe incorrect"}. ${explain(failure)}` });
    }
    throw failure;
  }
}

/** Changes a password: nothing, or what it throws. */
type Change = (current: string, wanted: string, confirmation: string) => Promise<unknown>;

/** Changing the password, which has no key: tried again after a lost answer, it is not to say that the password is wrong. */
export class PasswordChange {
  #change: Change;
  #isUnanswered = false;

  constructor(change: Change) {
    this.#change = change;
  }

  async send(current: string, wanted: string, confirmation: string): Promise<void> {
    try {
      await withCurrent(() => this.#change(current, wanted, confirmation));
      this.#isUnanswered = false;
    } catch (failure) {
      const wasUnanswered = this.#isUnanswered;
      this.#isUnanswered = !(failure instanceof Refusal);
      if (wasUnanswered && failure instanceof Refusal && (await this.#isAlready(wanted))) return;
      throw failure;
    }
  }

  /** Whether this is the password by now: the portal takes it for the current one, and so refuses it as the new one. */
  async #isAlready(wanted: string): Promise<boolean> {
    try {
      await this.#change(wanted, wanted, wanted);
      return true;
    } catch (failure) {
      const errors = (failure instanceof Refusal && failure.problem.errors) || [];
      return errors.length > 0 && errors.every(({ code }) => code === "password-unchanged");
    }
  }
}
