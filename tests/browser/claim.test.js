// Becoming manager, against the real portal with its demo data: without a pass, with one, and with a bad one.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, buttonOf, launch, openPage, tabTo } from "./browser.js";
import { startPortal } from "./portal.js";

const PASSWORD = "violette marmite tracteur 58 nuage";

/** Establishments of the demo data. */
const MARTIN = { siret: "53384615000019", number: "012345" };
const VITRE = { siret: "53384615000027", number: "630378", contact: "compta@martin.example" };
const MALLET = { siret: "43171596000016" };
const WRONG = "999999";

/** The wrong numbers a day that are heard of one user; those of two users close the establishment. */
const FAILURES = 5;

const jeanne = {
  siret: MARTIN.siret,
  civility: "mme",
  last_name: "Martin",
  first_name: "Jeanne",
  job_title: "Comptable",
  email: "jeanne.martin@example.com",
};
const paul = { ...jeanne, siret: VITRE.siret, civility: "m", first_name: "Paul", email: "paul.martin@example.com" };
const stranger = { ...paul, last_name: "Durand", email: "stranger@example.com" };

let portal;
let browser;

before(async () => {
  portal = await startPortal({ demo: true });
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await portal?.stop();
});

async function logIn(page, { email }) {
  const form = page.locator("#log-in-form");
  await form.getByLabel("Identifiant").fill(email);
  await form.getByLabel("Mot de passe").fill(PASSWORD);
  await form.getByRole("button", { name: "Se connecter" }).click();
}

const heading = (page, name) => page.getByRole("heading", { level: 1, name });
const numberField = (page) => page.getByLabel("Numéro adhérent");
const acceptance = (page) => page.getByLabel("J’ai lu et j’accepte les conditions");
const passNotice = (page) => page.getByText("vaut pour un seul essai");
const submit = (page) => page.getByRole("button", { name: "Devenir gestionnaire" });

async function claim(page, number) {
  await numberField(page).fill(number);
  await acceptance(page).check();
  await submit(page).click();
}

test("a user goes from their space over the charter to the manager's role", { timeout: 120_000 }, async () => {
  await portal.openSpace(jeanne, PASSWORD);
  const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin);
  const { keyboard } = page;
  await page.goto(portal.origin);
  await logIn(page, jeanne);
  await page.getByRole("link", { name: "Devenir gestionnaire" }).click();

  // The session goes on, and the charter comes first.
  await heading(page, "D’abord, la charte").waitFor();
  assert.equal(page.url(), `${portal.origin}/gestionnaire`);
  await page.getByRole("region", { name: "Charte d’utilisation" }).waitFor();
  await assertAccessible(page, "the charter");
  await page.getByRole("button", { name: "J’ai lu et j’accepte la charte" }).click();

  // The form says what is missing before it sends anything, and what the portal finds wrong.
  await heading(page, "Devenir gestionnaire").waitFor();
  await page.locator("p:visible", { hasText: `MARTIN BTP (SIRET ${MARTIN.siret})` }).waitFor();
  assert.equal(await passNotice(page).isVisible(), false);
  await assertAccessible(page, "the empty form");
  await submit(page).click();
  for (const id of ["member_number", "accepted"]) {
    assert.equal(await page.locator(`#${id}`).getAttribute("aria-invalid"), "true");
    assert.notEqual(await page.locator(`#${id}-error`).textContent(), "");
  }
  expectRefusal(422, "/api/manager-claims");
  await claim(page, "12345");
  await page.locator("#member_number-error").getByText("6 chiffres").waitFor();
  assert.ok(await numberField(page).evaluate((field) => field === document.activeElement));
  expectRefusal(404, "/api/manager-claims");
  await claim(page, WRONG);
  await page.locator("#member_number-error").getByText("Numéro adhérent non reconnu").waitFor();
  await assertAccessible(page, "the refused form");

  // By keyboard: the terms are opened and scrolled, and the number is corrected.
  await page.reload();
  await heading(page, "Devenir gestionnaire").waitFor();
  await tabTo(page, numberField(page));
  await keyboard.type("012 345");
  await tabTo(page, page.getByText("Lire les conditions générales"));
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("region", { name: "Conditions générales du compte adhérent" }));
  await assertAccessible(page, "the form with the terms");
  await tabTo(page, acceptance(page));
  await keyboard.press("Space");
  await tabTo(page, submit(page));
  await keyboard.press("Enter");

  await heading(page, "Vous êtes gestionnaire").waitFor();
  await page.getByText(`compte adhérent ${MARTIN.number}`).waitFor();
  assert.equal(await page.locator("#member_number").inputValue(), "");
  await assertAccessible(page, "the success");

  // The front page knows, and asks for no second log-in; so does this page.
  await page.getByRole("link", { name: "Continuer vers votre espace" }).click();
  await heading(page, /^Bonjour Mme Martin/i).waitFor();
  await page.locator("summary", { hasText: "Bonjour Mme MARTIN" }).click();
  await page.getByText("Gestionnaire\u00a0: Mme\u00a0MARTIN").waitFor();
  assert.equal(await page.getByRole("link", { name: "Devenir gestionnaire" }).count(), 0);
  await page.goto(`${portal.origin}/gestionnaire`);
  await heading(page, "Le compte a déjà un gestionnaire").waitFor();
  await page.getByText("Mme MARTIN").waitFor();
  await assertAccessible(page, "the managed account");

  // The log-out opens the front page, and ends the session for both pages.
  await tabTo(page, page.getByRole("button", { name: "Se déconnecter" }));
  await keyboard.press("Enter");
  await page.getByRole("region", { name: "Connexion" }).waitFor();
  assert.equal(page.url(), `${portal.origin}/`);
  assert.doesNotMatch(await page.content(), /MARTIN/);
  expectRefusal(401, "/api/sessions/refresh");
  await page.goto(`${portal.origin}/gestionnaire`);
  await heading(page, "Connectez-vous pour devenir gestionnaire").waitFor();

  verify();
  await context.close();
});

test("too many wrong numbers close the form, and the mailed pass opens it once", { timeout: 120_000 }, async () => {
  const accountTerms = await portal.referenceTo("account-terms");
  for (const person of [paul, stranger]) {
    const access = await portal.openSpace(person, PASSWORD);
    for (let failure = 0; failure < FAILURES; failure += 1) {
      const guess = { member_number: WRONG, account_terms: accountTerms };
      assert.equal((await portal.post("/api/manager-claims", guess, access)).status, 404);
    }
  }

  // Without the pass, not even the right number is heard.
  const { context, page, requested, expectRefusal, verify } = await openPage(browser, portal.origin);
  expectRefusal(401, "/api/sessions/refresh");
  await page.goto(`${portal.origin}/gestionnaire`);
  await heading(page, "Connectez-vous pour devenir gestionnaire").waitFor();
  await assertAccessible(page, "the log-in");
  await logIn(page, paul);
  await page.getByRole("button", { name: "J’ai lu et j’accepte la charte" }).click();
  await numberField(page).waitFor();
  expectRefusal(429, "/api/manager-claims");
  await claim(page, VITRE.number);
  await heading(page, "Trop d’essais pour l’instant").waitFor();
  await page.getByText("Réessayez dans 24\u00a0heures").waitFor();
  await assertAccessible(page, "the closed form");

  // With it, it is; the pass goes out in the claim's body only.
  const link = await buttonOf(browser, await portal.nextMail(VITRE.contact, "/gestionnaire"), "/gestionnaire");
  assert.ok(link.startsWith(`${portal.origin}/gestionnaire#`));
  const token = link.split("#")[1];
  await page.goto(link);
  await passNotice(page).waitFor();
  assert.equal(page.url(), `${portal.origin}/gestionnaire`, "the token is gone from the address bar");
  await assertAccessible(page, "the form with a pass");
  await claim(page, VITRE.number);
  await heading(page, "Vous êtes gestionnaire").waitFor();
  assert.deepEqual(requested.filter((url) => !url.endsWith(`#${token}`) && url.includes(token)), []);
  assert.equal(await page.evaluate(() => localStorage.length + sessionStorage.length), 0);

  verify();
  await context.close();
});

test("a pass that the portal does not know is said to be none, and the claim goes on without", async () => {
  const lea = { ...jeanne, siret: MALLET.siret, first_name: "Léa", email: "lea@example.com" };
  const access = await portal.openSpace(lea, PASSWORD);
  const charter = { kind: "charter", ...(await portal.referenceTo("charter")) };
  assert.equal((await portal.post("/api/acceptances", charter, access)).status, 201);

  const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin);
  expectRefusal(401, "/api/sessions/refresh");
  await page.goto(`${portal.origin}/gestionnaire#unknown`);
  await page.getByText("cliquez de nouveau sur le bouton de l’e-mail").waitFor();
  assert.equal(page.url(), `${portal.origin}/gestionnaire`);
  await logIn(page, lea);
  await passNotice(page).waitFor();
  expectRefusal(410, "/api/manager-claims");
  await claim(page, WRONG);
  await heading(page, "Ce lien n’est plus valable").waitFor();
  await assertAccessible(page, "the invalid pass");

  await page.getByRole("button", { name: "Continuer sans le lien" }).click();
  await numberField(page).waitFor();
  assert.equal(await passNotice(page).isVisible(), false);
  assert.equal(await numberField(page).inputValue(), WRONG, "what was typed is kept");
  expectRefusal(404, "/api/manager-claims");
  await submit(page).click();
  await page.locator("#member_number-error").getByText("Numéro adhérent non reconnu").waitFor();
  verify();
  await context.close();
});
