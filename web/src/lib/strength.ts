// The meter Faible / Moyen / Fort. The server judges, with the rules that it applies when the password is set.

import { call, type Schema } from "./api.ts";
import { element } from "./dom.ts";

/** Long enough that the server is asked once a word rather than once a key, short enough to feel immediate. */
const PAUSE_MS = 300;

const LEVELS = {
  faible: { level: 1, name: "Faible" },
  moyen: { level: 2, name: "Moyen" },
  fort: { level: 3, name: "Fort" },
};

/**
 * Has the meter follow the field.
 * @param meter from 0 to 3
 * @param text a live region
 * @param knownWords what of the user's own a password must not be made of
 */
export function watchStrength(
  input: HTMLInputElement,
  meter: HTMLMeterElement,
  text: HTMLElement,
  knownWords: () => string[],
): void {
  let timer = 0;
  let asking = new AbortController();

  input.addEventListener("input", () => {
    stop();
    if (input.value === "") draw(null);
    else timer = window.setTimeout(judge, PAUSE_MS);
  });
  input.form?.addEventListener("reset", () => {
    stop();
    draw(null);
  });

  function stop() {
    clearTimeout(timer);
    asking.abort();
  }

  async function judge() {
    asking = new AbortController();
    const { signal } = asking;
    try {
      const body = { password: input.value, known_words: knownWords() };
      const verdict = await call("POST", "/api/password/strength", { body, signal });
      if (!signal.aborted) draw(verdict);
    } catch {
      if (signal.aborted) return;
      draw(null);
      text.textContent = "La robustesse sera vérifiée à l’enregistrement.";
    }
  }

  function draw(verdict: Schema<"PasswordRating"> | null) {
    text.replaceChildren();
    delete text.dataset["label"];
    meter.value = verdict ? LEVELS[verdict.label].level : 0;
    if (!verdict) return;

    text.dataset["label"] = verdict.label;
    const name = element("strong", LEVELS[verdict.label].name);
    text.append(element("p", name, verdict.acceptable ? "" : "\u00a0: ce mot de passe serait refusé."));
    if (verdict.hints.length === 0) return;
    text.append(element("ul", ...verdict.hints.map((hint) => element("li", hint))));
  }
}
