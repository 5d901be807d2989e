// The meter Faible / Moyen / Fort. The server judges, with the rules that it applies when the password is set.

import { call } from "./api.js";

/** Long enough that the server is asked once a word rather than once a key, short enough to feel immediate. */
const PAUSE_MS = 300;

const LEVELS = {
  faible: { level: 1, name: "Faible" },
  moyen: { level: 2, name: "Moyen" },
  fort: { level: 3, name: "Fort" },
};

/**
 * @param {HTMLInputElement} input
 * @param {HTMLMeterElement} meter from 0 to 3
 * @param {HTMLElement} text a live region
 * @param {() => string[]} knownWords what of the user's own a password must not be made of
 */
export function watchStrength(input, meter, text, knownWords) {
  let timer = 0;
  let asking = new AbortController();

  input.addEventListener("input", () => {
    stop();
    if (input.value === "") draw(null);
    else timer = setTimeout(judge, PAUSE_MS);
  });
  input.form.addEventListener("reset", () => {
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

  function draw(verdict) {
    const shown = verdict && LEVELS[verdict.label];
    meter.value = shown ? shown.level : 0;
    text.replaceChildren();
    delete text.dataset.label;
    if (!shown) return;

    text.dataset.label = verdict.label;
    const line = document.createElement("p");
    const name = document.createElement("strong");
    name.textContent = shown.name;
    line.append(name, verdict.acceptable ? "" : "\u00a0: ce mot de passe serait refusé.");
    text.append(line);
    if (verdict.hints.length === 0) return;
    const list = document.createElement("ul");
    for (const hint of verdict.hints) {
      list.append(Object.assign(document.createElement("li"), { textContent: hint }));
    }
    text.append(list);
  }
}
