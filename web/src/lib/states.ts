// Pages of several states, of which one shows at a time.

import { all } from "./dom.ts";

const SITE = "Portail adhérents Constructys";

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
  document.title = `${heading.textContent} – ${SITE}`;
  if (!quietly) heading.focus();
}
