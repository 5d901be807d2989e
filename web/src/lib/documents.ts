// The legal documents, as they are read on a page.

import { call, type Schema } from "./api.ts";
import { element } from "./dom.ts";
import { explain } from "./forms.ts";
import { legalText } from "./legal-text.ts";

/**
 * The current version of a document.
 * @throws {import("./api.ts").Refusal | import("./api.ts").Unreachable}
 */
export function fetchDocument(kind: Schema<"DocumentKind">): Promise<Schema<"Document">> {
  return call("GET", "/api/documents/{kind}", { path: { kind } });
}

/** Puts a document's text into a box. */
export function showDocument(box: HTMLElement, { title, body }: Schema<"Document">): void {
  // A box that scrolls must be reachable by keyboard, and so needs a name; it is no message to announce.
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", title);
  box.tabIndex = 0;
  box.scrollTop = 0;
  box.replaceChildren(...legalText(body));
}

/** A document that is fetched when its reader opens it. */
export function documentToRead(kind: Schema<"DocumentKind">): HTMLElement {
  const box = element("div");
  box.className = "legal-text";
  box.setAttribute("role", "status");
  const details = element("details", element("summary", "Lire le texte"), box);
  details.addEventListener("toggle", async () => {
    if (!details.open || box.dataset["loaded"]) return;
    try {
      const text = await fetchDocument(kind);
      box.dataset["loaded"] = String(text.version);
      showDocument(box, text);
    } catch (failure) {
      box.textContent = explain(failure);
    }
  });
  return details;
}
