import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";

test("no form of any page is one that a browser sends by itself", () => {
  const cwd = path.resolve(import.meta.dirname, "..");
  const files = globSync(["*.html", "fragments/*.html", "src/**/*.svelte"], { cwd });
  const forms = files.flatMap((file) => readFileSync(path.join(cwd, file), "utf8").match(/<form\b[^>]*>/g) ?? []);
  assert.ok(forms.length > 8, "the forms are elsewhere");
  assert.deepEqual(
    forms.filter((form) => !form.includes(' method="dialog"')),
    [],
  );
});
