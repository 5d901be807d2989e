import { globSync } from "node:fs";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { fragments } from "./plugins/fragments.ts";
import { preloadOfLaterParts } from "./plugins/preload.ts";

export default defineConfig({
  appType: "mpa",
  plugins: [fragments(), svelte(), preloadOfLaterParts()],
  build: {
    // What goes into a page as text, the pages' policy refuses: scripts, and images as `data:`.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      // Each document at the top of this folder is a page.
      input: globSync("*.html", { cwd: import.meta.dirname }),
      output: {
        codeSplitting: {
          // Only what is named: what public pages share with the space stays out of it.
          includeDependenciesRecursively: false,
          groups: [
            // What most views of the space stand on is one file, and each view one of its own: otherwise each component is a file.
            {
              name: "main",
              test: /node_modules\/(?:svelte|esm-env|clsx)\/|src\/space\/(?:App|main|(?:home|loading|router|session)\.svelte|addresses|notice|components\/(?!BarChart|Acceptance|Activation|LegalText|Choice|Confirmation|Done|PasswordStrength|TextArea|asked|said)|account\/(?:AccountFrame|account|listing|sides))|src\/lib\/(?:format|words)/,
            },
            // What only those use who manage an account or themselves.
            { name: "managing", test: /src\/space\/(?:own\/(?:OwnFrame|password)|components\/(?:Choice|Confirmation|Done|TextArea|asked|said))/ },
            // What several pages use is one file: a request costs more than the bytes that a page does not need.
            { name: "shared", test: /\/src\/lib\//, minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: {
    // The API of a portal that `cargo run` started.
    proxy: { "/api": "http://localhost:8080", "/.well-known/jwks.json": "http://localhost:8080" },
  },
});
