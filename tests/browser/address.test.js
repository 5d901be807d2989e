// The page behind the two links of a change of address, with the answers of the portal put in its place.

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

const OWNER = { civility: "mme", last_name: "<b>Martin", first_name: "Jeanne", siret: "53384615000019" };

/** Opens a link of this purpose; `followed` counts how often it was used. */
async function openLink(purpose) {
  const opened = await openPage(browser, portal.origin);
  const used = [];
  const json = { "Content-Type": "application/json" };
  await opened.page.route(`${portal.origin}/api/email/link`, (route) =>
    route.fulfill({ status: 200, headers: json, body: JSON.stringify({ email: "jeanne@toitures.example", purpose, owner: OWNER }) }),
  );
  await opened.page.route(`${portal.origin}/api/email`, (route) => {
    used.push(route.request().postDataJSON());
    return route.fulfill({ status: 204 });
  });
  await opened.page.goto(`${portal.origin}/adresse#a-token`);
  return { ...opened, used };
}

for (const [purpose, title, button, done] of [
  ["change", "Confirmez votre nouvelle adresse", "Confirmer cette adresse", "Votre nouvelle adresse est confirmée"],
  ["undo", "Annulez le changement d’adresse", "Annuler le changement", "Le changement d’adresse est annulé"],
]) {
  test(`a link to ${purpose} says what it does, and one button does it`, async () => {
    const { page, used, verify, context } = await openLink(purpose);
    await page.getByRole("heading", { name: title }).waitFor();
    await page.getByText("jeanne@toitures.example").locator("visible=true").waitFor();
    if (purpose === "change") {
      await page.getByText("Mme Jeanne <b>Martin", { exact: true }).locator("visible=true").waitFor();
      await page.getByText("SIRET 533 846 150 00019").locator("visible=true").waitFor();
    }
    assert.equal(page.url(), `${portal.origin}/adresse`, "the token is gone from sight");
    assert.deepEqual(used, [], "looking consumes nothing");
    await assertAccessible(page, `the link to ${purpose}`);
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("heading", { name: done }).waitFor();
    assert.deepEqual(used, [{ token: "a-token" }]);
    await assertAccessible(page, `what follows the link to ${purpose}`);
    verify();
    await context.close();
  });
}

test("a link that the portal does not know, and none at all", async () => {
  const { page, expectRefusal, verify, context } = await openPage(browser, portal.origin);
  expectRefusal(410, "/api/email/link");
  await page.goto(`${portal.origin}/adresse#unknown`);
  await page.getByRole("heading", { name: "Ce lien n’est plus valable" }).waitFor();
  await assertAccessible(page, "the invalid link");
  await page.goto(`${portal.origin}/adresse`);
  await page.reload();
  await page.getByRole("heading", { name: "Ouvrez le lien de votre e-mail" }).waitFor();
  await assertAccessible(page, "the missing link");
  verify();
  await context.close();
});
