// What a document's first script always imports later is on its way from the start: the part that has the name `main`, with all
// that it stands on. Which other part is needed depends on the address.

import type { Plugin, Rolldown } from "vite";

type Bundle = Rolldown.OutputBundle;

/** The files of the later parts of a document's script, without those that its HTML has already. */
function laterParts(bundle: Bundle, first: Rolldown.OutputChunk): string[] {
  const there = new Set(withImports(bundle, first.fileName));
  const later = first.dynamicImports.filter((file) => chunkOf(bundle, file)?.name === "main");
  return [...new Set(later.flatMap((file) => withImports(bundle, file)))].filter((file) => !there.has(file));
}

function withImports(bundle: Bundle, file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [file, ...(chunkOf(bundle, file)?.imports ?? []).flatMap((imported) => withImports(bundle, imported, seen))];
}

function chunkOf(bundle: Bundle, file: string): Rolldown.OutputChunk | undefined {
  const part = bundle[file];
  return part?.type === "chunk" ? part : undefined;
}

export function preloadOfLaterParts(): Plugin {
  return {
    name: "portal-preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle, chunk }) =>
        (bundle && chunk ? laterParts(bundle, chunk) : []).map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` },
          injectTo: "head" as const,
        })),
    },
  };
}
