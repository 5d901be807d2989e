// The meter Faible / Moyen / Fort. The server judges, with the rules that it applies when the password is set.

import { call, type Schema } from "./api.ts";
import { element } from "./dom.ts";

/** Long enough that the server is asked once a word rather than once a key, short enough to feel immediate. */
const PAUSE_MS = 300;

export const LEVELS = {
  faible: { level: 1, name: "Faible" },
  moyen: { level: 2, name: "Moyen" },
  fort: { level: 3, name: "Fort" },
};

export const UNRATED = "La robustesse sera vérifiée à l’enregistrement.";

/** What is known of a password: none was typed, its rating, or that it could not be had. */
export type Verdict = Schema<"PasswordRating"> | "unrated" | null;

/**
 * Rates passwords as they are typed.
 * @param tell gets the verdict on the last of them, and on no other
 * @returns what takes each, with words of the user's own that a password must not be made of
 */
export function rating(tell: (verdict: Verdict) => void): (password: string, knownWords: string[]) => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asking = new AbortController();

  async function judge(password: string, knownWords: string[]): Promise<void> {
    asking = new AbortController();
    const { signal } = asking;
    try {
      const verdict = await call("POST", "/api/password/strength", { body: { password, known_words: knownWords }, signal });
      if (!signal.aborted) tell(verdict);
    } catch {
      if (!signal.aborted) tell("unrated");
    }
  }

  return (password, knownWords) => {
    clearTimeout(timer);
    asking.abort();
    if (password === "") tell(null);
    else timer = setTimeout(() => void judge(password, knownWords), PAUSE_MS);
  };
}

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
  const rate = rating(draw);

  input.addEventListener("input", () => {
    rate(input.value, knownWords());
  });
  input.form?.addEventListener("reset", () => {
    rate("", []);
  });

  function draw(verdict: Verdict) {
    text.replaceChildren();
    delete text.dataset["label"];
    const isRated = verdict !== null && verdict !== "unrated";
    meter.value = isRated ? LEVELS[verdict.label].level : 0;
    if (verdict === "unrated") text.textContent = UNRATED;
    if (!isRated) return;

    text.dataset["label"] = verdict.label;
    const name = element("strong", LEVELS[verdict.label].name);
    text.append(element("p", name, verdict.acceptable ? "" : "\u00a0: ce mot de passe serait refusé."));
    if (verdict.hints.length === 0) return;
    text.append(element("ul", ...verdict.hints.map((hint) => element("li", hint))));
  }
}
