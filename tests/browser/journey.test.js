// From the mail to the personal space, as a member goes: once with everything looked at, once by keyboard alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, buttonOf, launch, logOutOfSpace, openPage, tabTo } from "./browser.js";
import { startPortal } from "./portal.js";

const WEAK = "constructys1";
const STRONG = "violette marmite tracteur 58 nuage";
const OTHER_STRONG = "grue chocolat 77 parapluie lointain";

const jeanne = {
  siret: "53384615000019",
  civility: "mme",
  last_name: "Martin",
  first_name: "Jeanne",
  job_title: "Comptable",
  email: "jeanne.martin@example.com",
};
const paul = { ...jeanne, civility: "m", last_name: "Durand", first_name: "Paul", email: "paul.durand@example.com" };

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

test("a mailed link leads to a password, to the log-in and to the greeting", { timeout: 120_000 }, async () => {
  await portal.signUp(jeanne);
  const link = await buttonOf(browser, await portal.nextPasswordMail(jeanne.email));
  assert.ok(link.startsWith(`${portal.origin}/mot-de-passe#`), "the button leads to this portal");
  const token = link.split("#")[1];

  const { context, page, requested, expectRefusal, verify } = await openPage(browser, portal.origin);
  const answer = await page.goto(link);
  assert.match(answer.headers()["content-security-policy"] ?? "", /default-src 'self'/);

  // The link shows whose it is, and its token is gone from sight.
  const email = page.getByLabel("Adresse e-mail");
  await email.waitFor();
  assert.equal(await email.inputValue(), jeanne.email);
  assert.equal(await email.getAttribute("readonly"), "");
  assert.equal(await email.getAttribute("autocomplete"), "username");
  assert.equal(page.url(), `${portal.origin}/mot-de-passe`);
  await page.getByRole("heading", { name: "Créez votre mot de passe" }).waitFor();
  await assertAccessible(page, "the empty form");

  // A weak password is called weak, and refused; so is a confirmation that differs.
  const password = page.getByLabel("Nouveau mot de passe");
  const confirmation = page.getByLabel("Confirmation du mot de passe");
  const meter = page.getByLabel("Robustesse du mot de passe");
  const verdict = page.locator("#strength-text");
  await password.fill(WEAK);
  await verdict.getByText("Faible").waitFor();
  assert.equal(await meter.evaluate(({ value }) => value), 1);
  await confirmation.fill(`${WEAK}2`);
  expectRefusal(422, "/api/password");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByText("Corrigez les champs signalés").waitFor();
  for (const id of ["password", "password_confirmation"]) {
    assert.equal(await page.locator(`#${id}`).getAttribute("aria-invalid"), "true");
    assert.notEqual(await page.locator(`#${id}-error`).textContent(), "");
  }
  assert.ok(await password.evaluate((field) => field === document.activeElement), "the first wrong field has the focus");
  await assertAccessible(page, "the refused form");

  // A strong one is called strong, can be looked at, and is taken.
  await password.fill(STRONG);
  assert.equal(await page.locator("#password-error").textContent(), "", "a changed field is no longer called wrong");
  await verdict.getByText("Fort").waitFor();
  assert.equal(await meter.evaluate(({ value }) => value), 3);
  await confirmation.fill(STRONG);
  await page.getByLabel("Afficher les mots de passe").check();
  assert.equal(await password.getAttribute("type"), "text");
  await page.getByLabel("Afficher les mots de passe").uncheck();
  assert.equal(await password.getAttribute("type"), "password");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByRole("heading", { name: "Votre mot de passe est enregistré" }).waitFor();
  assert.equal(await page.locator("#password").inputValue(), "", "the page keeps no password");
  await assertAccessible(page, "the success");

  // The log-in, with the wrong password and with the right one.
  await page.getByRole("link", { name: "Continuer vers la connexion" }).click();
  await page.waitForURL(`${portal.origin}/`);
  await assertAccessible(page, "the start page");
  const logIn = page.getByRole("region", { name: "Connexion" });
  await logIn.getByLabel("Identifiant").fill(jeanne.email);
  await logIn.getByLabel("Mot de passe").fill(WEAK);
  expectRefusal(401, "/api/sessions");
  await logIn.getByRole("button", { name: "Se connecter" }).click();
  await logIn.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
  await logIn.getByLabel("Mot de passe").fill(STRONG);
  await logIn.getByRole("button", { name: "Se connecter" }).click();
  await page.getByRole("heading", { level: 1, name: /^Bonjour Mme Martin/i }).waitFor();
  await page.getByRole("main").getByText("53384615000019").waitFor();
  await page.getByText("Lire la charte").click();
  await page.locator(".legal-text[role=region]").waitFor();
  await assertAccessible(page, "the signed-in page");
  await logOutOfSpace(page);
  await logIn.waitFor();
  assert.equal(page.url(), `${portal.origin}/`);
  assert.doesNotMatch(await page.content(), /Martin|53384615000019/i, "nothing that was shown is in the document");

  // The token went out in bodies only, and the browser keeps nothing.
  assert.deepEqual(requested.filter((url) => !url.endsWith(`#${token}`) && url.includes(token)), []);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);
  await page.goBack();
  assert.equal(page.url(), `${portal.origin}/mot-de-passe`);

  // The used link says so, also when it is pasted into a tab that has the page open.
  expectRefusal(410, "/api/password/link");
  await page.goto(link);
  await page.getByRole("heading", { name: "Ce lien n’est plus valable" }).waitFor();
  assert.equal(page.url(), `${portal.origin}/mot-de-passe`);
  await assertAccessible(page, "the invalid link");

  verify();
  await context.close();
});

test("a forgotten password is replaced by keyboard alone", { timeout: 120_000 }, async () => {
  await portal.signUp(paul);
  const { context, page, verify } = await openPage(browser, portal.origin);
  const { keyboard } = page;

  await page.goto(await buttonOf(browser, await portal.nextPasswordMail(paul.email)));
  await setPasswordByKeyboard(page, STRONG);

  // From the success on to the start page, and there to the form for those who forgot.
  await tabTo(page, page.getByRole("link", { name: "Continuer vers la connexion" }));
  await keyboard.press("Enter");
  await page.waitForURL(`${portal.origin}/`);
  const forgot = page.getByRole("region", { name: "Mot de passe oublié" });
  await tabTo(page, forgot.getByLabel("Adresse e-mail"));
  await keyboard.type(paul.email);
  await keyboard.press("Enter");
  await forgot.getByRole("status").filter({ hasText: /\S/ }).waitFor();

  await page.goto(await buttonOf(browser, await portal.nextPasswordMail(paul.email)));
  await page.getByRole("heading", { name: "Choisissez un nouveau mot de passe" }).waitFor();
  await setPasswordByKeyboard(page, OTHER_STRONG);
  await tabTo(page, page.getByRole("link", { name: "Continuer vers la connexion" }));
  await keyboard.press("Enter");
  await page.waitForURL(`${portal.origin}/`);

  const logIn = page.getByRole("region", { name: "Connexion" });
  await tabTo(page, logIn.getByLabel("Identifiant"));
  await keyboard.type(paul.email);
  await tabTo(page, logIn.getByLabel("Mot de passe"));
  await keyboard.type(OTHER_STRONG);
  await keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /^Bonjour M\. Durand/i }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1", "the focus follows the page");

  verify();
  await context.close();
});

async function setPasswordByKeyboard(page, text) {
  const { keyboard } = page;
  await page.getByLabel("Adresse e-mail").waitFor();
  await tabTo(page, page.getByLabel("Nouveau mot de passe"));
  await keyboard.type(text);
  await page.locator("#strength-text").getByText("Fort").waitFor();
  await tabTo(page, page.getByLabel("Confirmation du mot de passe"));
  await keyboard.type(text);
  await tabTo(page, page.getByLabel("Afficher les mots de passe"));
  await keyboard.press("Space");
  assert.equal(await page.getByLabel("Nouveau mot de passe").getAttribute("type"), "text");
  await tabTo(page, page.getByRole("button", { name: "Enregistrer" }));
  await keyboard.press("Enter");
  await page.getByRole("heading", { name: "Votre mot de passe est enregistré" }).waitFor();
}
