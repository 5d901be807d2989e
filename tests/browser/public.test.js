// The pages that everybody may read, and the sign-up: by mouse and by keyboard alone, on a screen and on a phone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertAccessible, launch, openPage, problem, tabTo } from "./browser.js";
import { startPortal } from "./portal.js";

const SCREEN = { width: 1280, height: 800 };
const PHONE = { width: 320, height: 640 };
const SHORT_SIRET = "5338461500019";
const SIRET = "533 846 150 00019";

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

async function assertFits(page, what) {
  const { scrollWidth, innerWidth } = await page.evaluate(() => ({
    scrollWidth: document.documentElement.scrollWidth,
    innerWidth: window.innerWidth,
  }));
  assert.ok(scrollWidth <= innerWidth, `${what} scrolls sideways: ${scrollWidth} in ${innerWidth}`);
}

/** The frame that every page has, and one heading of the first level that is seen. */
async function assertFramed(page, what) {
  assert.equal(await page.locator("h1:visible").count(), 1, `${what} has one heading`);
  assert.equal(await page.getByRole("banner").count(), 1, what);
  const footer = page.getByRole("contentinfo");
  assert.ok(await footer.getByRole("link", { name: /^01/ }).getAttribute("href"), `${what} names the help`);
  await footer.getByRole("link", { name: "Accessibilité : non conforme" }).waitFor();
  assert.match(await footer.innerText(), /Version \S+/);
}

const PAGES = [
  ["/", "Votre compte de formation Constructys, en ligne"],
  ["/inscription", "Créer mon espace"],
  ["/mentions-legales", "Mentions légales"],
  ["/donnees-personnelles", "Données personnelles"],
  ["/accessibilite", "Déclaration d’accessibilité"],
  ["/plan-du-site", "Plan du site"],
];

for (const [path, heading] of PAGES) {
  test(`${path} is whole before any script, accessible, and fits a phone`, async () => {
    const bare = await openPage(browser, portal.origin, { javaScriptEnabled: false });
    const answer = await bare.page.goto(portal.origin + path);
    assert.equal(answer.status(), 200);
    assert.equal(answer.headers()["cache-control"], "no-cache");
    assert.ok((await answer.text()).includes(`<h1`), "the document has its heading");
    bare.verify();
    await bare.context.close();

    for (const viewport of [SCREEN, PHONE]) {
      const { context, page, verify } = await openPage(browser, portal.origin, { viewport });
      await page.goto(portal.origin + path);
      await page.getByRole("heading", { level: 1, name: heading }).waitFor();
      await assertFramed(page, path);
      await assertFits(page, path);
      await assertAccessible(page, `${path} at ${viewport.width} px`);
      // The way past the banner is the first stop, and leads to the content.
      await page.keyboard.press("Tab");
      await page.keyboard.press("Enter");
      assert.equal(await page.evaluate(() => document.activeElement.localName), "main");
      verify();
      await context.close();
    }
  });
}

test("every link of the public pages leads to a page that is there", async () => {
  const { context, page, verify } = await openPage(browser, portal.origin, { javaScriptEnabled: false });
  const seen = new Set();
  const waiting = ["/"];
  while (waiting.length > 0) {
    const path = waiting.pop();
    const answer = await page.goto(portal.origin + path);
    assert.equal(answer.status(), 200, path);
    if (!/html/.test(answer.headers()["content-type"])) continue;
    const links = await page.locator("a[href]").evaluateAll((found) => found.map(({ href }) => href));
    for (const link of links.map((href) => new URL(href)).filter(({ protocol }) => protocol.startsWith("http"))) {
      assert.equal(link.origin, portal.origin, `${path} leads away: ${link}`);
      if (link.pathname === path && link.hash) {
        assert.equal(await page.locator(`[id="${link.hash.slice(1)}"]`).count(), 1, `${path} has no ${link.hash}`);
      }
      if (!seen.has(link.pathname)) {
        seen.add(link.pathname);
        waiting.push(link.pathname);
      }
    }
  }
  assert.ok(seen.size > 8, [...seen].join());
  verify();
  await context.close();
});

test("the log-in can be typed before any script has come, is not sent by the browser, and moves nothing", async () => {
  const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin, { viewport: SCREEN });
  let scripts = 0;
  let come;
  const gate = new Promise((resolve) => (come = resolve));
  await page.route("**/*.js", async (route) => {
    scripts += 1;
    await gate;
    await route.continue();
  });
  await page.goto(`${portal.origin}/`, { waitUntil: "commit" });
  const logIn = page.getByRole("region", { name: "Connexion" });
  await logIn.getByLabel("Identifiant").fill("jeanne@example.com");
  await logIn.getByLabel("Mot de passe").fill("violette marmite");
  await page.keyboard.press("Enter");
  assert.equal(page.url(), `${portal.origin}/`);
  const boxes = () =>
    page.evaluate(() => [...document.querySelectorAll("main *")].map((part) => part.getBoundingClientRect().top));
  const before = await boxes();
  assert.ok(scripts > 0);
  come();
  // Modules have run by then.
  await page.waitForLoadState("load");
  assert.deepEqual(await boxes(), before, "nothing moves when the scripts come");
  assert.equal(await logIn.getByLabel("Identifiant").inputValue(), "jeanne@example.com");
  // Who pressed Enter too early presses it again.
  expectRefusal(401, "/api/sessions");
  await page.keyboard.press("Enter");
  await logIn.getByRole("alert").filter({ hasText: /\S/ }).waitFor();
  verify();
  await context.close();
});

test("a log-in takes five requests, all of them named in the document", async () => {
  const { context, page, requested, verify } = await openPage(browser, portal.origin);
  const answer = await page.goto(`${portal.origin}/`, { waitUntil: "networkidle" });
  const html = await answer.text();
  assert.ok(requested.length <= 5, requested.join("\n"));
  for (const url of requested.slice(1)) {
    const { pathname } = new URL(url);
    assert.ok(html.includes(`"${pathname}"`), `${pathname} is found out late`);
    const kept = (await fetch(url)).headers.get("cache-control");
    assert.equal(kept, "public, max-age=31536000, immutable", pathname);
  }
  verify();
  await context.close();
});

test("a sign-up by mouse: all errors at once, what was understood, and the mail", { timeout: 120_000 }, async () => {
  for (const viewport of [SCREEN, PHONE]) {
    const email = `jeanne-${viewport.width}@example.com`;
    const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin, { viewport });
    await page.goto(`${portal.origin}/?origine=bretagne`);
    await page.getByRole("link", { name: "Créer mon espace" }).click();
    await page.waitForURL(`${portal.origin}/inscription?origine=bretagne`);

    // Nothing but a SIRET that lacks a digit, as one leaflet printed it.
    await page.getByLabel("SIRET de votre établissement").fill(SHORT_SIRET);
    expectRefusal(422, "/api/signup/check");
    await page.getByRole("button", { name: "Vérifier mes données" }).click();
    const summary = page.getByRole("alert").filter({ hasText: /\S/ });
    await summary.getByRole("link", { name: /14 chiffres/ }).waitFor();
    assert.ok(await summary.evaluate((alert) => alert === document.activeElement), "the summary has the focus");
    assert.match(await page.title(), /^Erreur – /);
    assert.equal(await summary.getByRole("link").count(), 8, "each field once");
    await assertAccessible(page, "the refused form");
    await assertFits(page, "the refused form");
    await summary.getByRole("link", { name: "Choisissez Madame ou Monsieur." }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "civility-mme");

    await page.getByLabel("SIRET de votre établissement").fill(SIRET);
    await page.getByLabel("Madame").check();
    assert.equal(await page.locator("#civility-error").textContent(), "", "a changed group is no longer called wrong");
    await page.getByLabel("Nom", { exact: true }).fill("<b>Martin</b>");
    await page.getByLabel("Prénom").fill("Jeanne");
    await page.getByLabel("Fonction").fill("Comptable");
    await page.getByLabel("Adresse e-mail", { exact: true }).fill(email);
    await page.getByLabel("Confirmation de l’adresse e-mail").fill(email);
    await page.getByText("Lire les conditions générales").click();
    await page.locator("#terms-text[role=region] h3").first().waitFor();
    await page.getByLabel("J’ai lu et j’accepte").check();
    await assertAccessible(page, "the form with the terms");
    await page.getByRole("button", { name: "Vérifier mes données" }).click();

    // Each line is shown as it was understood, and leads back to its field; what was typed is there.
    await page.getByRole("heading", { level: 1, name: "Vérifiez vos données" }).waitFor();
    assert.doesNotMatch(await page.title(), /Erreur/);
    await page.getByText("533\u00a0846\u00a0150\u00a000019", { exact: true }).waitFor();
    await page.getByText("<b>Martin</b>", { exact: true }).waitFor();
    await assertAccessible(page, "the check");
    await assertFits(page, "the check");
    await page.getByRole("button", { name: "Modifier : Nom" }).click();
    assert.equal(await page.evaluate(() => document.activeElement.id), "last_name");
    await page.getByLabel("Nom", { exact: true }).fill("Martin");
    await page.getByRole("button", { name: "Vérifier mes données" }).click();
    await page.getByRole("heading", { level: 1, name: "Vérifiez vos données" }).waitFor();

    // Back leads to the form, forward to the check.
    await page.goBack();
    await page.getByRole("heading", { level: 1, name: "Créer mon espace" }).waitFor();
    assert.equal(await page.getByLabel("Prénom").inputValue(), "Jeanne");
    await page.goForward();
    await page.getByRole("heading", { level: 1, name: "Vérifiez vos données" }).waitFor();

    const [signUp] = await Promise.all([
      page.waitForRequest(`${portal.origin}/api/signup`),
      page.getByRole("button", { name: "Confirmer mon inscription" }).click(),
    ]);
    assert.equal(signUp.postDataJSON().origin, "bretagne");
    assert.equal(signUp.postDataJSON().last_name, "Martin");
    await page.getByRole("heading", { level: 1, name: "Votre demande est enregistrée" }).waitFor();
    await page.getByRole("strong").filter({ hasText: email }).waitFor();
    await assertAccessible(page, "the success");
    await assertFits(page, "the success");
    assert.match((await portal.nextPasswordMail(email)).html, /mot-de-passe#/);

    // Where no mail comes: it is asked for once more, which is another sign-up.
    const [again] = await Promise.all([
      page.waitForRequest(`${portal.origin}/api/signup`),
      page.getByRole("button", { name: "Renvoyer l’e-mail" }).click(),
    ]);
    assert.notEqual(again.headers()["idempotency-key"], signUp.headers()["idempotency-key"]);
    await page.getByRole("status").filter({ hasText: /^Votre demande de \d\d:\d\d est enregistrée\.$/ }).waitFor();
    verify();
    await context.close();
  }
});

test("a sign-up by keyboard alone", { timeout: 120_000 }, async () => {
  for (const viewport of [SCREEN, PHONE]) {
    const email = `paul-${viewport.width}@example.com`;
    const { context, page, expectRefusal, verify } = await openPage(browser, portal.origin, { viewport });
    const { keyboard } = page;
    await page.goto(`${portal.origin}/`);
    await tabTo(page, page.getByRole("link", { name: "Créer mon espace" }));
    await keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Créer mon espace" }).waitFor();

    expectRefusal(422, "/api/signup/check");
    await tabTo(page, page.getByLabel("SIRET de votre établissement"));
    await keyboard.type(SHORT_SIRET);
    await keyboard.press("Enter");
    const summary = page.getByRole("alert").filter({ hasText: /\S/ });
    await tabTo(page, summary.getByRole("link", { name: /14 chiffres/ }));
    await keyboard.press("Enter");
    const siret = page.getByLabel("SIRET de votre établissement");
    assert.ok(await siret.evaluate((field) => field === document.activeElement));
    await keyboard.press("ControlOrMeta+a");
    await keyboard.type(SIRET);
    await tabTo(page, page.getByLabel("Madame"));
    await keyboard.press("ArrowDown");
    assert.ok(await page.getByLabel("Monsieur").isChecked());
    for (const [label, text] of [
      ["Nom", "Durand"],
      ["Prénom", "Paul"],
      ["Fonction", "Gérant"],
      ["Adresse e-mail", email],
      ["Confirmation de l’adresse e-mail", email],
    ]) {
      await tabTo(page, page.getByLabel(label, { exact: true }));
      await keyboard.type(text);
    }
    await tabTo(page, page.getByLabel("J’ai lu et j’accepte"));
    await keyboard.press("Space");
    await tabTo(page, page.getByRole("button", { name: "Vérifier mes données" }));
    await keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Vérifiez vos données" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.localName), "h1", "the focus follows the page");
    await tabTo(page, page.getByRole("button", { name: "Confirmer mon inscription" }));
    await keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "Votre demande est enregistrée" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.localName), "h1", "the focus follows the page");
    await portal.nextPasswordMail(email);
    verify();
    await context.close();
  }
});

/** Fills the form with what is in order, and leads to the check. */
async function check(page, email) {
  await page.goto(`${portal.origin}/inscription`);
  await page.getByLabel("SIRET de votre établissement").fill(SIRET);
  await page.getByLabel("Madame").check();
  await page.getByLabel("Nom", { exact: true }).fill("Martin");
  await page.getByLabel("Prénom").fill("Jeanne");
  await page.getByLabel("Fonction").fill("Comptable");
  await page.getByLabel("Adresse e-mail", { exact: true }).fill(email);
  await page.getByLabel("Confirmation de l’adresse e-mail").fill(email);
  await page.locator("#terms-text[role=region]").waitFor({ state: "attached" });
  await page.getByLabel("J’ai lu et j’accepte").check();
  await page.getByRole("button", { name: "Vérifier mes données" }).click();
  await page.getByRole("heading", { level: 1, name: "Vérifiez vos données" }).waitFor();
}

test("a sign-up whose answer is lost is the same one when it is sent again", async () => {
  const { context, page, answer } = await openPage(browser, portal.origin);
  await check(page, "lost@example.com");
  const keys = [];
  page.on("request", (request) => {
    if (request.url() === `${portal.origin}/api/signup`) keys.push(request.headers()["idempotency-key"]);
  });
  await page.route(`${portal.origin}/api/signup`, (route) => route.abort("internetdisconnected"), { times: 1 });
  const confirm = page.getByRole("button", { name: "Confirmer mon inscription" });
  await confirm.click();
  await page.getByRole("alert").filter({ hasText: /^Le portail ne répond pas/ }).waitFor();
  await answer("/api/signup", 202, { body: { message: "Votre demande est enregistrée." } });
  await confirm.dblclick();
  await page.getByRole("heading", { level: 1, name: "Votre demande est enregistrée" }).waitFor();
  assert.match(keys[0], /^[0-9a-f-]{36}$/);
  assert.deepEqual(keys, [keys[0], keys[0]]);
  await context.close();
});

test("terms that changed meanwhile are shown, and are to be accepted anew", async () => {
  const { context, page, answer, expectRefusal, verify } = await openPage(browser, portal.origin);
  await check(page, "changed@example.com");
  const changed = { title: "Conditions", version: 2, sha256: "2".repeat(64), body: "Tout a changé." };
  await answer("/api/documents/terms", 200, { body: changed });
  await answer("/api/signup", 409, { body: problem(409, "document-outdated", { detail: "Ce texte a changé." }) });
  expectRefusal(409, "/api/signup");
  await page.getByRole("button", { name: "Confirmer mon inscription" }).click();
  await page.getByText("Tout a changé.").waitFor();
  assert.equal(await page.getByLabel("J’ai lu et j’accepte").isChecked(), false);
  await page.getByRole("alert").getByRole("link", { name: "Ce texte a changé." }).waitFor();
  await assertAccessible(page, "the changed terms");
  assert.equal(await page.getByLabel("Prénom").inputValue(), "Jeanne", "what was typed is kept");
  verify();
  await context.close();
});

test("too many sign-ups name the time to wait and the form stays as it is", async () => {
  const { context, page, answer, expectRefusal, verify } = await openPage(browser, portal.origin);
  await check(page, "many@example.com");
  await answer("/api/signup", 429, { body: problem(429, "too-many-attempts"), headers: { "Retry-After": "600" } });
  expectRefusal(429, "/api/signup");
  await page.getByRole("button", { name: "Confirmer mon inscription" }).click();
  await page.getByRole("alert").filter({ hasText: "Réessayez dans 10\u00a0minutes." }).waitFor();
  await page.getByRole("button", { name: "Revenir au formulaire" }).click();
  assert.equal(await page.getByLabel("Fonction").inputValue(), "Comptable");
  verify();
  await context.close();
});
