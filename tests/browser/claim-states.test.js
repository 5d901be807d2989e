// What /gestionnaire, and the home before it, show when things are not as they should be: the portal's answers are put
// in its place here, but for the legal documents; the pages are the real ones.

import assert from "node:assert/strict";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { assertAccessible, launch, openPage, problem } from "./browser.js";
import { startPortal } from "./portal.js";

const CLAIMS = "/api/manager-claims";
const PASS = "a-pass-that-the-test-answers-for";
const NUMBER = "012345";
const PHONE = { width: 320, height: 640 };

const TOKENS = { access_token: "a-token", session_idle_in: 7200, session_ends_in: 43200 };
const HOME = {
  user: { civility: "mme", last_name: "MARTIN", first_name: "Jeanne", greeting: "Bonjour Mme MARTIN" },
  establishment: { siret: "53384615000019", name: "MARTIN BTP" },
  applications: [],
  news: [],
  pending_documents: [],
  manager: null,
  can_claim: true,
  help_url: "https://www.constructys.fr/",
};

let portal;
let browser;
let opened;
/** The claims that the page sent: their bodies and keys. */
let claims;

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
  claims = [];
  opened.page.on("request", (request) => {
    if (request.url() !== portal.origin + CLAIMS) return;
    claims.push({ ...request.postDataJSON(), key: request.headers()["idempotency-key"] });
  });
  await opened.answer("/api/sessions/refresh", 200, { body: TOKENS });
  await opened.answer("/api/home", 200, { body: HOME });
  await opened.answer("/api/accounts", 200, { body: { accounts: [] } });
});

afterEach(async () => {
  await opened.context.close();
});

const heading = (name) => opened.page.getByRole("heading", { level: 1, name });
const numberField = () => opened.page.getByLabel("Numéro adhérent");
const acceptance = () => opened.page.getByLabel("J’ai lu et j’accepte les conditions");
const passNotice = () => opened.page.getByText("vaut pour un seul essai");
const submit = () => opened.page.getByRole("button", { name: "Devenir gestionnaire" });
const alert = () => opened.page.getByRole("alert").filter({ hasText: /\S/ });

async function openForm(fragment = "") {
  await opened.page.goto(`${portal.origin}/gestionnaire${fragment}`);
  await heading("Devenir gestionnaire").waitFor();
}

async function claim() {
  await numberField().fill(NUMBER);
  await acceptance().check();
  await submit().click();
}

/** The portal's answer to claims from now on, a refusal of the first of them announced. */
async function answerClaims(status, body, headers) {
  if (status >= 400) opened.expectRefusal(status, CLAIMS);
  await opened.answer(CLAIMS, status, { body, headers });
}

test("a wrong number uses the pass up, and the next claim goes out without", async () => {
  await openForm(`#${PASS}`);
  assert.equal(opened.page.url(), `${portal.origin}/gestionnaire`);
  await passNotice().waitFor();
  assert.match(await numberField().getAttribute("aria-describedby"), /^pass-notice /);
  const detail = "Vérifiez le numéro sur un avis de virement.";
  await answerClaims(404, problem(404, "claim-refused", { title: "Numéro adhérent non reconnu", detail }));
  await claim();
  await opened.page.locator("#member_number-error").getByText("n’est plus valable").waitFor();
  assert.equal(await passNotice().isVisible(), false);
  assert.doesNotMatch(await numberField().getAttribute("aria-describedby"), /pass-notice/);
  assert.equal(await numberField().getAttribute("aria-invalid"), "true");
  await assertAccessible(opened.page, "the used pass");

  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await submit().click();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.equal(claims[0].token, PASS);
  assert.ok(!("token" in claims[1]));
  opened.verify();
});

test("a number that was refused is judged anew, as the SIRET of the profile may be corrected by then", async () => {
  await openForm();
  await answerClaims(404, problem(404, "claim-refused"));
  await claim();
  await alert().waitFor();
  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await submit().click();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.notEqual(claims[1].key, claims[0].key);
  opened.verify();
});

test("a claim whose answer is lost is the same claim when it is sent again", async () => {
  await openForm(`#${PASS}`);
  await opened.page.route(portal.origin + CLAIMS, (route) => route.abort("internetdisconnected"), { times: 1 });
  await claim();
  assert.match(await alert().textContent(), /^Le portail ne répond pas/);
  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await submit().click();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.match(claims[0].key, /^[0-9a-f-]{36}$/);
  assert.deepEqual(claims[1], claims[0]);
});

test("a number that was corrected is another claim", async () => {
  await openForm();
  await answerClaims(503, problem(503, "try-again"), { "Retry-After": "1" });
  await claim();
  await alert().waitFor();
  await answerClaims(201, { member_number: "012346", role: "manager" });
  await numberField().fill("012346");
  await submit().click();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.notEqual(claims[1].key, claims[0].key);
  opened.verify();
});

test("terms that changed meanwhile are shown, and are to be accepted anew", async () => {
  await openForm();
  const changed = { title: "Conditions générales", version: 2, sha256: "2".repeat(64), body: "Tout a changé." };
  await opened.answer("/api/documents/account-terms", 200, { body: changed });
  await answerClaims(409, problem(409, "document-outdated", { detail: "Ce texte a changé." }));
  await claim();
  await opened.page.getByText("Tout a changé.").waitFor();
  await opened.page.locator("#accepted-error").getByText("Ce texte a changé.").waitFor();
  assert.equal(await acceptance().isChecked(), false);
  await assertAccessible(opened.page, "the changed terms");

  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await claim();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.deepEqual(claims[1].account_terms, { version: 2, sha256: changed.sha256 });
  opened.verify();
});

test("a charter that comes up meanwhile is accepted, and what was typed is kept", async () => {
  const { page, answer, expectRefusal, verify } = opened;
  await openForm();
  await answer("/api/home", 200, { body: { ...HOME, pending_documents: ["charter"] }, times: 1 });
  await answerClaims(403, problem(403, "charter-required"));
  await claim();
  await heading("D’abord, la charte").waitFor();

  // It changes once more, under the reader's eyes.
  const changed = { title: "Charte", version: 2, sha256: "2".repeat(64), body: "Une autre charte." };
  await answer("/api/documents/charter", 200, { body: changed });
  await answer("/api/acceptances", 201, { body: {} });
  await answer("/api/acceptances", 409, {
    body: problem(409, "document-outdated", { detail: "Ce texte a changé." }),
    times: 1,
  });
  expectRefusal(409, "/api/acceptances");
  const accept = page.getByRole("button", { name: "J’ai lu et j’accepte la charte" });
  await accept.click();
  await page.getByText("Une autre charte.").waitFor();
  assert.equal(await alert().textContent(), "Ce texte a changé.");
  const [request] = await Promise.all([page.waitForRequest(`${portal.origin}/api/acceptances`), accept.click()]);
  assert.deepEqual(request.postDataJSON(), { kind: "charter", version: 2, sha256: changed.sha256 });
  await heading("Devenir gestionnaire").waitFor();
  assert.equal(await numberField().inputValue(), NUMBER);
  verify();
});

test("a session that ends meanwhile is opened again, and neither pass nor number is lost", async () => {
  const { page, answer, expectRefusal, verify } = opened;
  await openForm(`#${PASS}`);
  await answer("/api/sessions/refresh", 401, { body: problem(401, "authentication-required") });
  expectRefusal(401, "/api/sessions/refresh");
  await answerClaims(401, problem(401, "authentication-required"));
  await claim();
  await heading("Connectez-vous pour devenir gestionnaire").waitFor();

  await answer("/api/sessions", 200, { body: { access_token: "another" } });
  await page.getByLabel("Identifiant").fill("jeanne.martin@example.com");
  await page.getByLabel("Mot de passe").fill("violette marmite tracteur");
  await page.getByRole("button", { name: "Se connecter" }).click();
  await passNotice().waitFor();
  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await submit().click();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.deepEqual(claims[1], claims[0]);
  verify();
});

test("who was faster is named", async () => {
  await openForm();
  const manager = { civility: "m", last_name: "DURAND" };
  await answerClaims(409, problem(409, "already-managed", { manager }));
  await claim();
  await heading("Le compte a déjà un gestionnaire").waitFor();
  await opened.page.getByText("M. DURAND").waitFor();
  assert.equal(await numberField().inputValue(), "");
  opened.verify();
});

test("too many attempts name the time to wait and the way past it, and lead back to the form", async () => {
  await openForm();
  await answerClaims(429, problem(429, "too-many-attempts"), { "Retry-After": "86400" });
  await claim();
  await heading("Trop d’essais pour l’instant").waitFor();
  await opened.page.getByText("Réessayez dans 24\u00a0heures").waitFor();
  await opened.page.getByText("laisse passer une demande").waitFor();
  await opened.page.getByRole("button", { name: "Revenir à la demande" }).click();
  await numberField().waitFor();
  assert.equal(await numberField().inputValue(), NUMBER);
  opened.verify();
});

test("the gateway's throttle is no limit on guessing", async () => {
  await openForm();
  await answerClaims(429, { message: "Too Many Requests" });
  await claim();
  assert.equal(await alert().textContent(), "Trop de tentatives. Réessayez dans quelques instants.");
  opened.verify();
});

test("whoever is not mailed any more is told so, and why", async () => {
  const { page, verify } = opened;
  for (const [problem, said] of [
    ["bounced", "Faites corriger votre adresse"],
    ["complained", "signalé comme indésirable"],
  ]) {
    await opened.answer("/api/home", 200, { body: { ...HOME, email_problem: problem } });
    await page.goto("about:blank");
    await page.goto(`${portal.origin}/espace`);
    await page.getByText(said).waitFor();
    await assertAccessible(page, problem);
  }
  verify();
});

test("an establishment without an open account offers no claim", async () => {
  await opened.answer("/api/home", 200, { body: { ...HOME, can_claim: false } });
  await opened.page.goto(`${portal.origin}/gestionnaire`);
  await heading("Aucun compte adhérent ouvert pour votre établissement").waitFor();
  await opened.page.locator("p:visible", { hasText: "SIRET 53384615000019" }).waitFor();
  await assertAccessible(opened.page, "no account");
  opened.verify();
});

test("in every state in which somebody is signed in they can log out, and in no other", async () => {
  const { page, answer, expectRefusal, verify } = opened;
  const logOut = page.getByRole("button", { name: "Se déconnecter" });
  const show = async (name, signedIn, home) => {
    if (home) await answer("/api/home", 200, { body: { ...HOME, ...home }, times: 1 });
    await page.goto("about:blank");
    await page.goto(`${portal.origin}/gestionnaire`);
    await heading(name).waitFor();
    assert.equal(await logOut.isVisible(), signedIn, name);
  };
  await show("D’abord, la charte", true, { pending_documents: ["charter"] });
  await show("Le compte a déjà un gestionnaire", true, { manager: { named: false } });
  await show("Aucun compte adhérent ouvert pour votre établissement", true, { can_claim: false });
  for (const [status, slug, name] of [
    [429, "too-many-attempts", "Trop d’essais pour l’instant"],
    [410, "link-invalid", "Ce lien n’est plus valable"],
    [201, "", "Vous êtes gestionnaire"],
  ]) {
    await show("Devenir gestionnaire", true);
    await answerClaims(status, status === 201 ? { member_number: NUMBER, role: "manager" } : problem(status, slug));
    await claim();
    await heading(name).waitFor();
    assert.ok(await logOut.isVisible(), name);
  }
  await answer("/api/documents/account-terms", 503, { body: problem(503, "try-again"), times: 1 });
  expectRefusal(503, "/api/documents/account-terms");
  await show("La page n’a pas pu être préparée", true);
  await answer("/api/sessions/refresh", 401, { body: problem(401, "authentication-required") });
  expectRefusal(401, "/api/sessions/refresh");
  await show("Connectez-vous pour devenir gestionnaire", false);
  verify();
});

test("a log-out that fails is said to have failed, and the next one opens the front page", async () => {
  const { page, answer, expectRefusal, verify } = opened;
  await openForm();
  await answer("/api/sessions/current", 204);
  await answer("/api/sessions/current", 503, { body: problem(503, "try-again"), times: 1 });
  expectRefusal(503, "/api/sessions/current");
  const logOut = page.getByRole("button", { name: "Se déconnecter" });
  await logOut.click();
  assert.match(await alert().textContent(), /^Le portail est momentanément indisponible/);
  await assertAccessible(page, "the log-out that failed");
  await page.locator("p:visible", { hasText: "MARTIN BTP" }).waitFor();
  await logOut.click();
  await page.getByRole("region", { name: "Connexion" }).waitFor();
  assert.equal(page.url(), `${portal.origin}/`);
  assert.doesNotMatch(await page.content(), /MARTIN/);
  verify();
});

test("a page that the browser kept to go back to shows nothing of a session that has ended", async () => {
  // Playwright has Chromium keep no pages; and the log-out's answer here tells it to drop none.
  const keeping = await launch({ ignoreDefaultArgs: ["--disable-back-forward-cache"] });
  try {
    const { page, answer, expectRefusal, verify } = await openPage(keeping, portal.origin);
    await answer("/api/sessions", 200, { body: TOKENS });
    await answer("/api/sessions/refresh", 200, { body: TOKENS });
    await answer("/api/home", 200, { body: HOME });
    await answer("/api/accounts", 200, { body: { accounts: [] } });
    await answer("/api/sessions/current", 204);
    const greeting = page.getByRole("heading", { name: HOME.user.greeting });
    const logOut = page.getByRole("button", { name: "Se déconnecter" });
    const toClaim = page.getByRole("link", { name: "Devenir gestionnaire" });
    await page.goto(portal.origin);
    await page.getByLabel("Identifiant").fill("jeanne.martin@example.com");
    await page.getByRole("textbox", { name: "Mot de passe" }).fill("violette marmite tracteur");
    await page.getByRole("button", { name: "Se connecter" }).click();

    // As long as the session goes on, the home is there again.
    await toClaim.click();
    await page.getByRole("heading", { level: 1, name: "Devenir gestionnaire" }).waitFor();
    await page.goBack();
    await greeting.waitFor();

    await toClaim.click();
    await page.getByRole("heading", { level: 1, name: "Devenir gestionnaire" }).waitFor();
    await answer("/api/sessions/refresh", 401, { body: problem(401, "authentication-required") });
    expectRefusal(401, "/api/sessions/refresh");
    await logOut.click();
    await page.getByRole("region", { name: "Connexion" }).waitFor();
    const refused = page.waitForResponse(`${portal.origin}/api/sessions/refresh`);
    await page.goBack({ waitUntil: "commit" });
    await refused;
    await page.getByRole("heading", { level: 1, name: "Connexion" }).waitFor();
    assert.doesNotMatch(await page.content(), /MARTIN/);
    verify();
  } finally {
    await keeping.close();
  }
});

test("what cannot be loaded now can be loaded again, with the pass", async () => {
  const { page, answer, expectRefusal, verify } = opened;
  await answer("/api/documents/account-terms", 503, { body: problem(503, "try-again"), times: 1 });
  expectRefusal(503, "/api/documents/account-terms");
  await page.goto(`${portal.origin}/gestionnaire#${PASS}`);
  await heading("La page n’a pas pu être préparée").waitFor();
  await page.getByText("momentanément indisponible").waitFor();
  await assertAccessible(page, "the trouble");
  await page.getByRole("button", { name: "Réessayer" }).click();
  await passNotice().waitFor();
  verify();
});

test("a second link pasted over the first is the one that goes out", async () => {
  await openForm("#an-older-pass");
  await opened.page.evaluate((pass) => (location.hash = pass), PASS);
  await opened.page.waitForURL(`${portal.origin}/gestionnaire`);
  await heading("Devenir gestionnaire").waitFor();
  await answerClaims(201, { member_number: NUMBER, role: "manager" });
  await claim();
  await heading("Vous êtes gestionnaire").waitFor();
  assert.equal(claims[0].token, PASS);
  opened.verify();
});

test("without scripts the page says what is missing and offers no form", async () => {
  const { context, page, verify } = await openPage(browser, portal.origin, { javaScriptEnabled: false });
  await page.goto(`${portal.origin}/gestionnaire#${PASS}`);
  await page.getByRole("heading", { name: "JavaScript est nécessaire" }).waitFor();
  assert.equal(await page.locator("form:visible").count(), 0);
  verify();
  await context.close();
});

test("on a narrow screen nothing scrolls sideways", async () => {
  await opened.page.setViewportSize(PHONE);
  await openForm(`#${PASS}`);
  await opened.page.getByText("Lire les conditions générales").click();
  const width = await opened.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= PHONE.width);
  opened.verify();
});
