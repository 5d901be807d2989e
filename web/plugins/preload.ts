// What a document's first script imports later is on its way from the start.

import type { Plugin } from "vite";

export function preloadOfLaterParts(): Plugin {
  return {
    name: "portal-preload",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { chunk }) =>
        (chunk?.dynamicImports ?? []).map((file) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${file}` },
          injectTo: "head" as const,
        })),
    },
  };
}
