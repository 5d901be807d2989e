// What several documents have in common is written once, in `fragments/`, and put into each of them when it is built:
// a document is whole before any script has come.

import { readFileSync } from "node:fs";
import path from "node:path";
import type { Plugin } from "vite";

const FOLDER = path.resolve(import.meta.dirname, "../fragments");
const INCLUDE = /^([ \t]*)<!-- include ([\w-]+) -->$/gm;
const POLICY = /^[ \t]*<meta http-equiv="Content-Security-Policy"[^>]*>\n/m;

/** Replaces each `<!-- include NAME -->` that has a line of its own by the file of that name, indented as the line is. */
export function include(html: string, read: (name: string) => string): string {
  return html.replace(INCLUDE, (_, indent: string, name: string) =>
    read(name).trimEnd().replace(/^(?=.)/gm, indent),
  );
}

/** What is no text of the page: tags, comments, and elements whose text is not laid out. */
const MARKUP = /(<!--[^]*?-->|<(?:title|script|style|textarea)\b[^]*?<\/(?:title|script|style|textarea)>|<[^>]*>)/;

/** Keeps « e-mail » from being torn apart at its hyphen, wherever it is text of the page. */
export function keepTogether(html: string): string {
  return html
    .split(MARKUP)
    .map((piece) => (piece.startsWith("<") ? piece : piece.replace(/\be-mails?\b/g, '<span class="unbroken">$&</span>')))
    .join("");
}

export function fragments(): Plugin {
  return {
    name: "portal-fragments",
    configureServer(server) {
      server.watcher.add(FOLDER);
      server.watcher.on("change", (file) => {
        if (path.dirname(file) === FOLDER) server.ws.send({ type: "full-reload" });
      });
    },
    transformIndexHtml: {
      order: "pre",
      handler(html, { server }) {
        const whole = keepTogether(include(html, (name) => readFileSync(path.join(FOLDER, `${name}.html`), "utf8")));
        // The development server puts styles in by script, which the policy refuses.
        return server ? whole.replace(POLICY, "") : whole;
      },
    },
  };
}
