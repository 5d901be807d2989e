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
        const whole = include(html, (name) => readFileSync(path.join(FOLDER, `${name}.html`), "utf8"));
        // The development server puts styles in by script, which the policy refuses.
        return server ? whole.replace(POLICY, "") : whole;
      },
    },
  };
}
