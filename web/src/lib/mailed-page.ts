// What the pages that mailed links lead to share: the link's token, and states of which one shows at a time.

import type { Schema } from "./api.ts";
import { all } from "./dom.ts";

const siteName = "Portail adhérents Constructys";

/** The token of the link that led here; empty without one. */
export function takeToken(): string {
  const token = decoded(location.hash.slice(1));
  // Out of the address bar before anything else happens: away from screenshots, bookmarks and the next copy-paste.
  if (location.href.includes("#")) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

/** Browsers escape a space or a character that cannot be seen, which came with the link when it was copied. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

const CIVILITIES = { mme: "Mme", m: "M." };

/** The owner of a space as two texts: the person, and the establishment. */
export function describe(owner: Schema<"SpaceOwner"> & { establishment?: string }): [string, string] {
  const person = [CIVILITIES[owner.civility], owner.first_name, owner.last_name].join(" ");
  const siret = owner.siret.replace(/^(\d{3})(\d{3})(\d{3})/, "$1\u00a0$2\u00a0$3\u00a0");
  return [person, [owner.establishment, `SIRET\u00a0${siret}`].filter(Boolean).join(", ")];
}

/**
 * Shows what is of the state of this name, and tells its heading unless `quietly`. A section is of one state; what
 * several share names them all in its `data-state`, and has no heading.
 */
export function enter(name: string, { quietly = false } = {}): void {
  let heading: HTMLElement | null = null;
  for (const part of all("[data-state]")) {
    part.hidden = !part.dataset["state"]?.split(" ").includes(name);
    if (!part.hidden) heading ??= part.querySelector("h1");
  }
  if (!heading) throw new Error(`the page has no state ${name}`);
  document.title = `${heading.textContent} – ${siteName}`;
  if (!quietly) heading.focus();
}
