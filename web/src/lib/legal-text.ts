// The Markdown of the legal documents as elements: headings, lists and paragraphs. What is none of these is shown as
// written, for a legal text must never lose a word. Nothing in it is ever read as HTML.

import { element } from "./dom.ts";

const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^(?:[-*]|(\d+)[.)])\s+(.*)$/;

export function legalText(markdown: string): HTMLElement[] {
  const made: HTMLElement[] = [];
  // A paragraph or list item goes on over the following lines, until `open` is closed.
  let open: HTMLElement | null = null;

  for (const raw of markdown.split(/\r?\n/)) {
    const line = raw.trim();
    const [, marks, heading] = HEADING.exec(line) ?? [];
    const item = ITEM.exec(line);
    if (line === "") {
      open = null;
    } else if (marks && heading !== undefined) {
      // The page has its own first two levels.
      made.push(element(`h${Math.min(marks.length + 2, 6)}` as "h3", heading));
      open = null;
    } else if (item) {
      open = element("li", item[2] ?? "");
      listFor(made, item[1]).append(open);
    } else if (open) {
      open.append(` ${line}`);
    } else {
      open = element("p", line);
      made.push(open);
    }
  }
  return made.map(emphasise);
}

/** The list that the next item belongs to: the last thing made, or a new list that starts at the written number. */
function listFor(made: HTMLElement[], number: string | undefined): HTMLElement {
  const last = made.at(-1);
  if (last?.localName === (number ? "ol" : "ul")) return last;
  const list = number ? Object.assign(element("ol"), { start: Number(number) }) : element("ul");
  made.push(list);
  return list;
}

/** `**so**`, wherever it stands in the element's text. */
function emphasise(made: HTMLElement): HTMLElement {
  const places = made.localName === "ul" || made.localName === "ol" ? [...made.children] : [made];
  for (const place of places) {
    const parts = place.textContent.split(/\*\*(.+?)\*\*/);
    place.replaceChildren(...parts.map((part, index) => (index % 2 ? element("strong", part) : part)));
  }
  return made;
}
