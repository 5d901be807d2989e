// What the pages show when things are not as they should be. Answers that the portal gives rarely are put in its
// place here; the pages are the real ones.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { assertAccessible, launch, openPage, problem } from "./browser.js";
import { startPortal } from "./portal.js";

const LINK = "/mot-de-passe#a-token-that-the-test-answers-for";
const PHONE = { width: 320, height: 640 };

let portal;
let browser;
let opened;

before(async () => {
  portal = await startPortal();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await portal?.stop();
});

beforeEach(async () => {
  opened = await openPage(browser, portal.origin);
});

afterEach(async () => {
  await opened.context.close();
});

function answer(...what) {
  return opened.answer(...what);
}

async function openForm(purpose = "activation") {
  await answer("/api/password/link", 200, { body: { email: "jeanne.martin@example.com", purpose } });
  await answer("/api/password/strength", 200, {
    body: { score: 3, label: "moyen", acceptable: true, hints: ["Ajoutez un mot."] },
  });
  await opened.page.goto(portal.origin + LINK);
  await opened.page.getByLabel("Adresse e-mail").waitFor();
}

async function submitForm() {
  const { page } = opened;
  await page.getByLabel("Nouveau mot de passe").fill("violette marmite tracteur");
  await page.getByText("Moyen").waitFor();
  await page.getByLabel("Confirmation du mot de passe").fill("violette marmite tracteur");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  return page.getByRole("alert").filter({ hasText: /\S/ });
}

test("without a link, the page says to open the mail's", async () => {
  const { page, verify } = opened;
  await page.goto(`${portal.origin}/mot-de-passe`);
  await page.getByRole("heading", { name: "Ouvrez le lien de votre e-mail" }).waitFor();
  await assertAccessible(page, "the missing link");
  verify();
});

test("a link that the portal does not know is not valid, and a second one pasted over it is tried", async () => {
  const { page, expectRefusal, verify } = opened;
  expectRefusal(410, "/api/password/link");
  await page.goto(`${portal.origin}/mot-de-passe#unknown`);
  const invalid = page.getByRole("heading", { name: "Ce lien n’est plus valable" });
  await invalid.waitFor();

  await answer("/api/password/link", 200, { body: { email: "paul.durand@example.com", purpose: "reset" } });
  await page.evaluate(() => (location.hash = "another"));
  await page.getByRole("heading", { name: "Choisissez un nouveau mot de passe" }).waitFor();
  assert.equal(await page.getByLabel("Adresse e-mail").inputValue(), "paul.durand@example.com");
  assert.equal(page.url(), `${portal.origin}/mot-de-passe`);
  verify();
});

test("a link that cannot be checked now can be checked again", async () => {
  const { page, expectRefusal, verify } = opened;
  await answer("/api/password/link", 503, {
    body: problem(503, "unavailable"),
    headers: { "Retry-After": "5" },
  });
  expectRefusal(503, "/api/password/link");
  await page.goto(portal.origin + LINK);
  await page.getByText("Réessayez dans 5\u00a0secondes").waitFor();
  await assertAccessible(page, "the unchecked link");

  await answer("/api/password/link", 200, { body: { email: "jeanne.martin@example.com", purpose: "activation" } });
  await page.getByRole("button", { name: "Réessayer" }).click();
  await page.getByLabel("Adresse e-mail").waitFor();
  verify();
});

const DRAFT = {
  civility: "m",
  last_name: "<b>GAGNEZ</b> https://lot.example",
  first_name: "Paul",
  siret: "53384615000019",
  establishment: "MARTIN BTP",
};

async function openDraft() {
  await answer("/api/password/link", 200, {
    body: { email: "jeanne.martin@example.com", purpose: "activation", draft: DRAFT },
  });
  await opened.page.goto(portal.origin + LINK);
  await opened.page.getByRole("button", { name: "Ce n’est pas moi" }).waitFor();
}

test("whoever confirms a sign-up sees whose it is, as text alone", async () => {
  const { page, verify } = opened;
  await openDraft();
  await page.getByText("M. Paul <b>GAGNEZ</b> https://lot.example", { exact: true }).waitFor();
  await page.getByText("MARTIN BTP, SIRET\u00a0533\u00a0846\u00a0150\u00a000019", { exact: true }).waitFor();
  assert.equal(await page.locator("#draft a, #draft b").count(), 0);
  await assertAccessible(page, "the draft");

  // A reset is of a space that there is: nothing to decline.
  await answer("/api/password/link", 200, { body: { email: "paul.durand@example.com", purpose: "reset" } });
  await page.evaluate(() => (location.hash = "another"));
  await page.getByRole("heading", { name: "Choisissez un nouveau mot de passe" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Ce n’est pas moi" }).count(), 0);
  assert.doesNotMatch(await page.content(), /GAGNEZ/);
  verify();
});

test("a sign-up is declined by one act, and a refusal leaves it to be tried again", async () => {
  const { page, expectRefusal, verify } = opened;
  await openDraft();
  await answer("/api/password/decline", 503, { body: problem(503, "try-again"), headers: { "Retry-After": "5" } });
  expectRefusal(503, "/api/password/decline");
  const button = page.getByRole("button", { name: "Ce n’est pas moi" });
  await button.click();
  await page.getByText("Réessayez dans 5\u00a0secondes").waitFor();

  await answer("/api/password/decline", 204, { body: "" });
  await button.click();
  await page.getByRole("heading", { name: "Inscription refusée" }).waitFor();
  assert.doesNotMatch(await page.content(), /GAGNEZ/);
  await assertAccessible(page, "the declined sign-up");
  verify();
});

test("too many attempts name the time to wait, and keep what was typed", async () => {
  const { page, expectRefusal, verify } = opened;
  await openForm();
  await answer("/api/password", 429, {
    body: problem(429, "too-many-attempts"),
    headers: { "Retry-After": "150" },
  });
  expectRefusal(429, "/api/password");
  const alert = await submitForm();
  assert.equal(await alert.textContent(), "Trop de tentatives. Réessayez dans 3\u00a0minutes.");
  assert.equal(await page.getByLabel("Nouveau mot de passe").inputValue(), "violette marmite tracteur");
  verify();
});

test("a refusal of the gateway, which is no problem document, is understood too", async () => {
  const { expectRefusal, verify } = opened;
  await openForm();
  await answer("/api/password", 502, { body: "<html>Bad gateway</html>", headers: { "Content-Type": "text/html" } });
  expectRefusal(502, "/api/password");
  const alert = await submitForm();
  assert.match(await alert.textContent(), /^Un problème est survenu de notre côté/);
  verify();
});

test("a link that expires while the password is typed ends in the invalid state", async () => {
  const { page, expectRefusal, verify } = opened;
  await openForm("reset");
  await answer("/api/password", 410, { body: problem(410, "link-invalid") });
  expectRefusal(410, "/api/password");
  await submitForm();
  await page.getByRole("heading", { name: "Ce lien n’est plus valable" }).waitFor();
  assert.equal(await page.locator("#password").inputValue(), "");
  verify();
});

test("a lost connection is named, and the next try goes through", async () => {
  const { page } = opened;
  await openForm();
  await page.route(`${portal.origin}/api/password`, (route) => route.abort("internetdisconnected"), { times: 1 });
  const alert = await submitForm();
  assert.match(await alert.textContent(), /^Le portail ne répond pas/);

  await page.route(`${portal.origin}/api/password`, (route) => route.fulfill({ status: 204 }), { times: 1 });
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByRole("heading", { name: "Votre mot de passe est enregistré" }).waitFor();
});

test("a meter that cannot judge stops nobody", async () => {
  const { page, expectRefusal, verify } = opened;
  await openForm();
  await answer("/api/password/strength", 429, { body: problem(429, "too-many-attempts") });
  await answer("/api/password", 204);
  expectRefusal(429, "/api/password/strength");
  await page.getByLabel("Nouveau mot de passe").fill("violette marmite tracteur");
  await page.getByText("La robustesse sera vérifiée à l’enregistrement.").waitFor();
  await page.getByLabel("Confirmation du mot de passe").fill("violette marmite tracteur");
  await page.getByRole("button", { name: "Enregistrer" }).click();
  await page.getByRole("heading", { name: "Votre mot de passe est enregistré" }).waitFor();
  verify();
});

test("an impatient double click sends the password once", async () => {
  const { page, verify } = opened;
  await openForm();
  let sent = 0;
  await page.route(`${portal.origin}/api/password`, async (route) => {
    sent += 1;
    await new Promise((resolve) => setTimeout(resolve, 300));
    await route.fulfill({ status: 204 });
  });
  await page.getByLabel("Nouveau mot de passe").fill("violette marmite tracteur");
  await page.getByLabel("Confirmation du mot de passe").fill("violette marmite tracteur");
  await page.getByRole("button", { name: "Enregistrer" }).dblclick();
  await page.getByRole("heading", { name: "Votre mot de passe est enregistré" }).waitFor();
  assert.equal(sent, 1);
  verify();
});

test("without scripts both pages say what is missing and offer no form", async () => {
  const { context, page, verify } = await openPage(browser, portal.origin, { javaScriptEnabled: false });
  await page.goto(portal.origin + LINK);
  await page.getByRole("heading", { name: "JavaScript est nécessaire" }).waitFor();
  assert.equal(await page.locator("form:visible").count(), 0);
  await page.goto(`${portal.origin}/`);
  assert.match(await page.locator("noscript p").innerText(), /^La connexion a besoin de JavaScript/);
  assert.equal(await page.locator("form:visible").count(), 0);
  verify();
  await context.close();
});

test("a deep link of a regional site and a link to one of the forms open the start page", async () => {
  const { page, verify } = opened;
  await page.goto(`${portal.origin}/?origine=bretagne#mot-de-passe-oublie`);
  await page.getByRole("region", { name: "Connexion" }).waitFor();
  const forgotten = page.getByRole("region", { name: "Mot de passe oublié" }).getByLabel("Adresse e-mail");
  await page.keyboard.press("Tab");
  assert.ok(await forgotten.evaluate((field) => field === document.activeElement));
  verify();
});

test("on a narrow screen nothing scrolls sideways, and nothing moves for those who ask for calm", async () => {
  const { page, verify } = opened;
  await page.setViewportSize(PHONE);
  const widths = async () => page.evaluate(() => document.documentElement.scrollWidth);

  await page.goto(`${portal.origin}/`);
  await page.getByRole("region", { name: "Connexion" }).waitFor();
  assert.ok((await widths()) <= PHONE.width, "the start page fits");

  await answer("/api/password/link", 200, {
    body: { email: `${"tres-long-".repeat(6)}@exemple-de-domaine-interminable.example`, purpose: "activation" },
  });
  await page.goto(portal.origin + LINK);
  await page.getByLabel("Adresse e-mail").waitFor();
  assert.ok((await widths()) <= PHONE.width, "the password page fits");
  const submit = page.getByRole("button", { name: "Enregistrer" });
  assert.equal(await submit.evaluate((button) => getComputedStyle(button).transitionDuration), "0s");
  verify();
});
