// The Markdown of the legal documents as elements: headings, lists and paragraphs. What is none of these is shown as
// written, for a legal text must never lose a word. Nothing in it is ever read as HTML.

const HEADING = /^(#{1,6})\s+(.*)$/;
const ITEM = /^(?:[-*]|(\d+)[.)])\s+(.*)$/;

/**
 * @param {string} markdown
 * @returns {HTMLElement[]}
 */
export function legalText(markdown) {
  const made = [];
  // A paragraph or list item goes on over the following lines, until `open` is closed.
  let open = null;

  for (const raw of markdown.split(/\r?\n/)) {
    const line = raw.trim();
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    if (line === "") {
      open = null;
    } else if (heading) {
      // The page has its own first two levels.
      made.push(element(`h${Math.min(heading[1].length + 2, 6)}`, heading[2]));
      open = null;
    } else if (item) {
      open = element("li", item[2]);
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
function listFor(made, number) {
  const tag = number ? "ol" : "ul";
  const last = made.at(-1);
  if (last?.localName === tag) return last;
  const list = element(tag);
  if (number) list.start = Number(number);
  made.push(list);
  return list;
}

/** `**so**`, wherever it stands in the element's text. */
function emphasise(made) {
  const places = made.localName === "ul" || made.localName === "ol" ? [...made.children] : [made];
  for (const place of places) {
    const parts = place.textContent.split(/\*\*(.+?)\*\*/);
    place.replaceChildren(...parts.map((part, index) => (index % 2 ? element("strong", part) : part)));
  }
  return made;
}

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}
