// The legal documents, as they are read on a page.

import { call } from "./api.js";
import { explain } from "./forms.js";
import { legalText } from "./legal-text.js";

/**
 * The current version of a document.
 * @returns {Promise<{version: number, sha256: string, title: string, body: string}>}
 * @throws {import("./api.js").Refusal | import("./api.js").Unreachable}
 */
export function fetchDocument(kind) {
  return call("GET", `/api/documents/${kind}`);
}

/** Puts a document's text into a box. */
export function showDocument(box, { title, body }) {
  // A box that scrolls must be reachable by keyboard, and so needs a name; it is no message to announce.
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", title);
  box.tabIndex = 0;
  box.scrollTop = 0;
  box.replaceChildren(...legalText(body));
}

/** A document that is fetched when its reader opens it. */
export function documentToRead(kind) {
  const box = element("div");
  box.className = "legal-text";
  box.setAttribute("role", "status");
  const details = element("details", element("summary", "Lire le texte"), box);
  details.addEventListener("toggle", async () => {
    if (!details.open || box.dataset.loaded) return;
    try {
      const text = await fetchDocument(kind);
      box.dataset.loaded = text.version;
      showDocument(box, text);
    } catch (failure) {
      box.textContent = explain(failure);
    }
  });
  return details;
}

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}
