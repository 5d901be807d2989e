// What the forms of all pages share: one submission at a time, and failures shown where they belong.

import { Refusal } from "./api.ts";
import { find } from "./dom.ts";

/** What was typed, by the fields' names; a field that the form does not have is a text without a letter. */
export type Fields = (name: string) => string;

/**
 * Sends a form through `send` and shows what goes wrong. A field's message goes to the element `<field's id>-error`.
 * @param form has a `[role=alert]` and a submit button
 */
export function onSubmit(form: HTMLFormElement, send: (fields: Fields) => Promise<void>): void {
  const button = find("button[type=submit]", form);
  let sending = false;

  form.addEventListener("reset", () => {
    clear(form);
  });
  // What was refused is being changed: its message no longer says the truth.
  form.addEventListener("input", ({ target }) => {
    if (!(target instanceof Element) || !target.hasAttribute("aria-invalid")) return;
    clearControl(target);
    if (!form.querySelector("[aria-invalid]")) clear(form);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    // Not `disabled`, which would take the focus away from whoever pressed it.
    button.setAttribute("aria-disabled", "true");
    clear(form);
    try {
      await send(fieldsOf(form));
    } catch (failure) {
      show(form, failure);
    } finally {
      sending = false;
      button.removeAttribute("aria-disabled");
    }
  });
}

/** The fields as they are now, whatever becomes of the form meanwhile. */
function fieldsOf(form: HTMLFormElement): Fields {
  const data = new FormData(form);
  return (name) => {
    const value = data.get(name);
    return typeof value === "string" ? value : "";
  };
}

function clear(form: HTMLFormElement): void {
  find("[role=alert]", form).textContent = "";
  for (const control of form.elements) clearControl(control);
}

function clearControl(control: Element): void {
  control.removeAttribute("aria-invalid");
  const place = placeOf(control);
  if (place) place.textContent = "";
}

function placeOf(control: Element): HTMLElement | null {
  return document.getElementById(`${control.id}-error`);
}

function show(form: HTMLFormElement, failure: unknown): void {
  const elsewhere: string[] = [];
  for (const { field, message } of (failure instanceof Refusal && failure.problem.errors) || []) {
    const control = form.elements.namedItem(field);
    const place = control instanceof Element && placeOf(control);
    if (!place) {
      elsewhere.push(message);
      continue;
    }
    place.textContent = place.textContent ? `${place.textContent} ${message}` : message;
    control.setAttribute("aria-invalid", "true");
  }
  find("[role=alert]", form).textContent = [explain(failure), ...elsewhere].join(" ");
  form.querySelector<HTMLElement>("[aria-invalid]")?.focus();
}

/** What a `send` throws where the page itself finds fields wrong: messages by the fields' names. */
export function wrongFields(messages: Record<string, string>): Refusal {
  const errors = Object.entries(messages).map(([field, message]) => ({ field, code: "wrong", message }));
  return new Refusal(422, { title: "Saisie à corriger", errors }, null);
}

/** A failure in words for the reader. */
export function explain(failure: unknown): string {
  if (!(failure instanceof Refusal)) {
    return "Le portail ne répond pas. Vérifiez votre connexion à Internet, puis réessayez.";
  }
  const { status, problem, retryAfter } = failure;
  const again = retryAfter ? `Réessayez dans ${duration(retryAfter)}.` : "Réessayez dans quelques instants.";
  if (status === 429) return `Trop de tentatives. ${again}`;
  if (status === 503) return `Le portail est momentanément indisponible. ${again}`;
  if (status >= 500 || !problem.title) {
    const reference = problem.request_id ? ` Référence à donner à l’assistance\u00a0: ${problem.request_id}.` : "";
    return `Un problème est survenu de notre côté. ${again}${reference}`;
  }
  if (problem.errors?.length) return "Corrigez les champs signalés, puis renvoyez le formulaire.";
  return problem.detail ?? `${problem.title.replace(/\.$/, "")}.`;
}

/** Rounded up, so that whoever waits that long is let in. */
function duration(seconds: number): string {
  const [count, unit] =
    seconds < 120
      ? [seconds, "seconde"]
      : seconds < 7200
        ? [Math.ceil(seconds / 60), "minute"]
        : [Math.ceil(seconds / 3600), "heure"];
  return `${count}\u00a0${unit}${count > 1 ? "s" : ""}`;
}
