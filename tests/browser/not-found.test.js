// What is no page and no route of the API.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, launch, openPage } from "./browser.js";
import { startPortal } from "./portal.js";

let portal;
let browser;

before(async () => {
  portal = await startPortal();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await portal?.stop();
});

test("what is no page says so and leads on, and no answer of the API is replaced", async () => {
  const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin, {
    viewport: { width: 320, height: 640 },
  });
  expectRefusal(404, "/compte-adherent");
  const answer = await page.goto(`${portal.origin}/compte-adherent`);
  assert.equal(answer.status(), 404);
  await page.getByRole("heading", { level: 1, name: "Cette page n’existe pas" }).waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 320, "it fits a phone");
  await assertAccessible(page, "the page for none");
  await page.getByRole("main").getByRole("link", { name: "plan du site" }).click();
  await page.getByRole("heading", { level: 1, name: "Plan du site" }).waitFor();

  const refused = await fetch(`${portal.origin}/api/compte-adherent`, { headers: { Accept: "text/html" } });
  assert.equal(refused.headers.get("content-type"), "application/problem+json");
  verify();
  await context.close();
});
