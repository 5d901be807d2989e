import assert from "node:assert/strict";
import { test } from "node:test";
import { include, keepTogether } from "./fragments.ts";

const read = (name: string) => `<p>${name}</p>\n\n<p>$1</p>\n`;

test("a fragment stands where it is included, indented as its line", () => {
  assert.equal(
    include("<body>\n    <!-- include banner -->\n</body>", read),
    "<body>\n    <p>banner</p>\n\n    <p>$1</p>\n</body>",
  );
});

test("other comments stay", () => {
  const html = "<!-- see include banner -->\n<p><!-- include banner --></p>";
  assert.equal(include(html, read), html);
});

test("a hyphen that must not end a line is kept with its word, in text alone", () => {
  assert.equal(
    keepTogether('<title>Votre e-mail</title><!-- e-mail --><p title="e-mail">Ouvrez l’e-mail.</p>'),
    '<title>Votre e-mail</title><!-- e-mail --><p title="e-mail">Ouvrez l’<span class="unbroken">e-mail</span>.</p>',
  );
});
