// What the forms of all pages share: one submission at a time, and failures shown where they belong.

import { Refusal } from "./api.ts";
import { element, find } from "./dom.ts";

/** What was typed, by the fields' names; a field that the form does not have is a text without a letter. */
export type Fields = (name: string) => string;

/**
 * Sends a form through `send` and shows what goes wrong. A field's message goes to the element `<field's id>-error`;
 * a group of radio buttons is a fieldset whose id is their name.
 * @param form has a `[role=alert]` and a submit button; an alert with `data-summary` lists the wrong fields, as long
 * forms need it. What a field says where nothing was typed is its `data-missing`
 */
export function onSubmit(form: HTMLFormElement, send: (fields: Fields) => Promise<void>): void {
  const button = find("button[type=submit]", form);
  let sending = false;

  form.addEventListener("reset", () => {
    clear(form);
  });
  // What was refused is being changed: its message no longer says the truth.
  form.addEventListener("input", ({ target }) => {
    const wrong = target instanceof Element && target.closest("[aria-invalid]");
    if (!wrong) return;
    clearControl(wrong);
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
      showFailure(form, failure);
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

const ERROR = "Erreur – ";

function clear(form: HTMLFormElement): void {
  document.title = document.title.replace(ERROR, "");
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

/** Shows a failure in a form, and leads to it: to the summary where there is one, else to the first wrong field. */
export function showFailure(form: HTMLFormElement, failure: unknown): void {
  const elsewhere: string[] = [];
  const links: HTMLElement[] = [];
  for (const { field, code, message: said } of (failure instanceof Refusal && failure.problem.errors) || []) {
    const control = controlOf(form, field);
    const place = control && placeOf(control);
    const message = (code === "required" && control?.dataset["missing"]) || said;
    if (!place) {
      elsewhere.push(message);
      continue;
    }
    place.textContent = place.textContent ? `${place.textContent} ${message}` : message;
    control.setAttribute("aria-invalid", "true");
    links.push(element("li", linkTo(control, message)));
  }
  const alert = find("[role=alert]", form);
  alert.textContent = [explain(failure), ...elsewhere].join(" ");
  document.title = ERROR + document.title.replace(ERROR, "");
  if (alert.dataset["summary"] === undefined) {
    form.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    return;
  }
  if (links.length > 0) alert.append(element("ul", ...links));
  alert.focus();
  alert.scrollIntoView({ block: "nearest" });
}

function controlOf(form: HTMLFormElement, field: string): HTMLElement | null {
  const named = form.elements.namedItem(field);
  return named instanceof HTMLElement ? named : form.querySelector(`#${CSS.escape(field)}`);
}

function linkTo(control: HTMLElement, message: string): HTMLElement {
  const link = element("a", message);
  link.href = `#${control.id}`;
  link.addEventListener("click", (event) => {
    // The fragment stays as it is, and the label is to be seen with its field.
    event.preventDefault();
    focusField(control);
  });
  return link;
}

/** Leads to a field, or to the first of a group. */
export function focusField(control: HTMLElement): void {
  const first = control instanceof HTMLFieldSetElement ? control.querySelector("input") : control;
  first?.focus();
  control.closest(".field, fieldset")?.scrollIntoView({ block: "nearest" });
}

/** What a `send` throws where the page itself finds fields wrong: messages by the fields' names. */
export function wrongFields(messages: Record<string, string>): Refusal {
  const errors = Object.entries(messages).map(([field, message]) => ({ field, code: "wrong", message }));
  return new Refusal(422, { title: "Saisie à corriger", errors }, null);
}

/** A refusal with what the page itself finds wrong besides; any other failure as it is. */
export function withWrongFields(failure: unknown, messages: Record<string, string>): unknown {
  if (!(failure instanceof Refusal && failure.problem.errors)) return failure;
  const errors = [...failure.problem.errors, ...(wrongFields(messages).problem.errors ?? [])];
  return new Refusal(failure.status, { ...failure.problem, errors }, failure.retryAfter);
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
