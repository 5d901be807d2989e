// The page behind the link that tells of a new manager, with the answers of the portal put in its place.

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

test("the link says what it does, opening it does nothing, and one button does it", async () => {
  const { page, verify, context } = await openPage(browser, portal.origin);
  const used = [];
  await page.route(`${portal.origin}/api/manager-claims/contest`, (route) => {
    used.push(route.request().postDataJSON());
    return route.fulfill({
      status: 202,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message: "Votre signalement est enregistré." }),
    });
  });
  await page.goto(`${portal.origin}/contestation#a-token`);
  await page.getByRole("heading", { name: "Contester le gestionnaire de votre établissement" }).waitFor();
  assert.equal(page.url(), `${portal.origin}/contestation`, "the token is gone from sight");
  assert.deepEqual(used, [], "looking contests nobody");
  await assertAccessible(page, "the link to contest");
  await page.getByRole("button", { name: "Ce n’est pas normal" }).click();
  await page.getByRole("heading", { name: "Votre signalement est enregistré" }).waitFor();
  assert.deepEqual(used, [{ token: "a-token" }]);
  await assertAccessible(page, "what follows the link to contest");
  verify();
  await context.close();
});

test("a link that the portal does not know, and none at all", async () => {
  const { page, expectRefusal, verify, context } = await openPage(browser, portal.origin);
  expectRefusal(410, "/api/manager-claims/contest");
  await page.goto(`${portal.origin}/contestation#unknown`);
  await page.getByRole("button", { name: "Ce n’est pas normal" }).click();
  await page.getByRole("heading", { name: "Ce lien n’est plus valable" }).waitFor();
  await assertAccessible(page, "the invalid link");
  await page.goto(`${portal.origin}/contestation`);
  await page.reload();
  await page.getByRole("heading", { name: "Ouvrez le lien de votre e-mail" }).waitFor();
  await assertAccessible(page, "the missing link");
  verify();
  await context.close();
});
