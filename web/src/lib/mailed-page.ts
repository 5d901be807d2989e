// What the pages that mailed links lead to share: the link's token, and whose space it is about.

import type { Schema } from "./api.ts";
import { groupSiret } from "./siret.ts";

/** Hands over the token of the link that led here, empty without one, and of each that follows. */
export function onToken(follow: (token: string) => void): void {
  // A second link pasted into this tab changes the fragment alone, which loads no page; so does a link within it.
  addEventListener("hashchange", () => {
    if (!leadsWithin()) follow(takeToken());
  });
  follow(leadsWithin() ? "" : takeToken());
}

/** Whether the fragment is the name of a part of the page. */
function leadsWithin(): boolean {
  return document.getElementById(location.hash.slice(1)) !== null;
}

function takeToken(): string {
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
  return [person, [owner.establishment, `SIRET\u00a0${groupSiret(owner.siret)}`].filter(Boolean).join(", ")];
}
