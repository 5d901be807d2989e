// Managing the users of an account, and oneself, in the member's space: by mouse, by keyboard alone, with answers that get
// lost and sessions that end in between.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { assertAccessible, launch, openPage, tabTo } from "./browser.js";
import { startPortal } from "./portal.js";

const NUMBER = "012345";
const USERS = `/compte/${NUMBER}/utilisateurs`;
const USERS_API = `/api/accounts/${NUMBER}/users`;
/** Another account of the demo data, whose role is handed over. */
const OTHER = { siret: "53384615000027", number: "630378" };
const PASSWORD = "truelle béton mésange 41";
const NEW_PASSWORD = "grue chocolat 77 parapluie lointain";
const SIZES = [
  { width: 1280, height: 800 },
  { width: 320, height: 640 },
];

const JEANNE = {
  siret: "53384615000019",
  civility: "mme",
  last_name: "MARTIN",
  first_name: "Jeanne",
  job_title: "Comptable",
  email: "jeanne@martin.example",
};
const ANNE = { ...JEANNE, last_name: "PETIT", first_name: "Anne", email: "anne@martin.example" };
const LUC = { ...JEANNE, civility: "m", last_name: "BERNARD", first_name: "Luc", email: "luc@martin.example" };
const PAUL = { ...JEANNE, civility: "m", last_name: "DURAND", first_name: "Paul", email: "paul@martin.example" };
const ZOE = { ...JEANNE, last_name: "BLANC", first_name: "Zoé", email: "zoe@martin.example" };
const EVE = { ...JEANNE, last_name: "LEROY", first_name: "Ève", email: "eve@martin.example" };
const MAX = { ...JEANNE, civility: "m", last_name: "ROUX", first_name: "Max", email: "max@martin.example" };
/** Who manages the other account, and who reads it. */
const MARC = { ...PAUL, siret: OTHER.siret, last_name: "COLIN", first_name: "Marc", email: "marc@vitre.example" };
const ADA = { ...JEANNE, siret: OTHER.siret, last_name: "FABRE", first_name: "Ada", email: "ada@vitre.example" };
const NEW = { ...JEANNE, last_name: "NOIR", first_name: "Inès", siret: "43171596000016", email: "ines@mallet.example" };

let portal;
let browser;
let opened;
/** Access tokens, by address. */
const bearers = {};

before(async () => {
  portal = await startPortal({ demo: true });
  bearers[JEANNE.email] = await portal.openAccount(JEANNE, PASSWORD, NUMBER);
  bearers[MARC.email] = await portal.openAccount(MARC, PASSWORD, OTHER.number);
  for (const person of [ANNE, EVE, LUC, MAX, PAUL, ZOE, ADA, NEW]) bearers[person.email] = await portal.openSpace(person, PASSWORD);
  await letRead(PAUL, JEANNE, NUMBER);
  await letRead(ADA, MARC, OTHER.number);
  browser = await launch();
});

/** Has somebody read an account: they are invited, accept the charter, and open it. */
async function letRead(reader, manager, number) {
  assert.equal((await portal.post(`/api/accounts/${number}/users`, { email: reader.email }, bearers[manager.email])).status, 202);
  const charter = { kind: "charter", ...(await portal.referenceTo("charter")) };
  assert.equal((await portal.post("/api/acceptances", charter, bearers[reader.email])).status, 201);
  await portal.read(`/api/accounts/${number}/summary`, bearers[reader.email]);
}

after(async () => {
  await browser?.close();
  await portal?.stop();
});

beforeEach(async () => {
  opened = await openPage(browser, portal.origin, { viewport: SIZES[0] });
});

afterEach(async () => {
  await opened.context.close();
});

const heading = (name) => opened.page.getByRole("heading", { level: 1, name });
const button = (name, options) => opened.page.getByRole("button", { name, ...options });
const field = (name) => opened.page.getByLabel(name, { exact: true });
const dialog = () => opened.page.getByRole("dialog");
const isFocused = (target) => target.evaluate((element) => element === document.activeElement);

async function logIn({ email }, password = PASSWORD) {
  await field("Identifiant (adresse e-mail)").first().fill(email);
  await field("Mot de passe").fill(password);
  await button("Se connecter").click();
}

/** Opens an address of the space as who has no session, and logs in there. */
async function openAs(person, address, password) {
  opened.expectRefusal(401, "/api/sessions/refresh");
  await opened.page.goto(portal.origin + address);
  await heading("Connexion").waitFor();
  await logIn(person, password);
}

/** Fails where something of this state cannot be read or reached: at both widths, light, dark and with forced colours. */
async function assertFit(what) {
  const { page } = opened;
  for (const size of SIZES) {
    await page.setViewportSize(size);
    const name = `${what} at ${size.width}`;
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name} is not cut`);
    await assertAccessible(page, name);
    await page.emulateMedia({ forcedColors: "active" });
    await assertAccessible(page, `${name}, forced colours`);
    await page.emulateMedia({ forcedColors: null });
  }
  await page.setViewportSize(SIZES[0]);
}

/** Waits for what was done to be said, which has the focus. */
async function assertDone(text) {
  const said = opened.page.locator(".done").filter({ hasText: text });
  await said.waitFor();
  assert.ok(await isFocused(said), `the focus is on « ${text} »`);
}

/** The answer to the next call of this kind is lost after the portal gave it. */
async function loseAnswer(path, method) {
  let isLost = false;
  await opened.page.route(portal.origin + path, async (route) => {
    if (isLost || route.request().method() !== method) return route.fallback();
    isLost = true;
    await route.fetch();
    return route.abort("connectionreset");
  });
}

/** The calls of this kind from now on, as the page sends them. */
function watch(path, method) {
  const calls = [];
  opened.page.on("request", (request) => {
    if (request.method() === method && new URL(request.url()).pathname === path) {
      calls.push({ body: request.postData(), key: request.headers()["idempotency-key"] });
    }
  });
  return calls;
}

test("the manager invites several addresses at once, and reads what became of each", { timeout: 180_000 }, async () => {
  const { page, expectRefusal, verify } = opened;
  await openAs(JEANNE, USERS);
  await heading("Utilisateurs").waitFor();
  assert.equal(await page.title(), `Utilisateurs – MARTIN BTP (${NUMBER}) – Portail adhérents Constructys`);
  await page.getByRole("row", { name: /M\.\sPaul DURAND/ }).waitFor();
  await assertFit("the users");

  // Wrong ones are named, and what was typed stays.
  const addresses = field("Adresses e-mail");
  await addresses.fill(`${PAUL.email}\nfaux\ncompta@cabinet.example`);
  expectRefusal(422, USERS_API);
  await button("Inviter", { exact: true }).click();
  const summary = page.getByRole("alert").filter({ hasText: "«\u00a0faux\u00a0»" });
  await summary.waitFor();
  assert.ok(await isFocused(summary));
  await assertFit("a refused invitation");
  await summary.getByRole("link").click();
  assert.ok(await isFocused(addresses), "the summary leads to the field");
  assert.match(await addresses.inputValue(), /faux/);

  const many = Array.from({ length: 21 }, (_, place) => `a${place}@cabinet.example`).join("\n");
  await addresses.fill(many);
  await button("Inviter", { exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "vous en avez saisi 21" }).waitFor();

  // Right ones are sent once, however often the button is hit.
  const calls = watch(USERS_API, "POST");
  await addresses.fill(`${PAUL.email}\ncompta@cabinet.example, paie@cabinet.example`);
  await button("Inviter", { exact: true }).dblclick();
  await page.getByText("C’est fait pour ces 3 adresses").waitFor();
  assert.equal(calls.length, 1);
  const results = page.locator(".confirmation li");
  assert.match(await results.nth(0).textContent(), /^paul@martin\.example.*avait déjà accès/);
  assert.match(await results.nth(1).textContent(), /^compta@cabinet\.example.*invitation envoyée, à ouvrir avant le \d\d\/\d\d\/\d{4}/);
  assert.equal(await addresses.inputValue(), "");
  await assertFit("the invited");

  // An invitation is sent anew, and taken back.
  await button("Renvoyer l’invitation à paie@cabinet.example").click();
  await assertDone("Un e-mail est renvoyé à paie@cabinet.example");
  await button("Annuler : paie@cabinet.example").click();
  await dialog().getByRole("heading", { name: "Annuler l’invitation de paie@cabinet.example" }).waitFor();
  await assertFit("an invitation that is taken back");
  await dialog().getByRole("button", { name: "Annuler l’invitation" }).click();
  await assertDone("L’invitation de paie@cabinet.example est annulée.");
  assert.equal(await page.getByRole("row", { name: /paie@/ }).count(), 0);
  verify();
});

test("an invitation whose answer is lost is sent again under its key, and has one effect", { timeout: 120_000 }, async () => {
  const { page } = opened;
  await openAs(JEANNE, USERS);
  const addresses = field("Adresses e-mail");
  await addresses.fill("perdu@cabinet.example");
  const calls = watch(USERS_API, "POST");
  await loseAnswer(USERS_API, "POST");
  await button("Inviter", { exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "ne répond pas" }).waitFor();
  assert.equal(await addresses.inputValue(), "perdu@cabinet.example", "nothing typed is lost");
  await button("Inviter", { exact: true }).click();
  await page.getByText("C’est fait").waitFor();
  assert.equal(calls.length, 2);
  assert.equal(calls[0].key, calls[1].key);
  assert.equal(await page.getByRole("row", { name: /perdu@/ }).count(), 1);
});

test("who has no access asks for it from home, and the manager gives it or refuses", { timeout: 180_000 }, async () => {
  const { page, verify } = opened;
  const { keyboard } = page;
  await openAs(ANNE, "/espace");
  const link = page.getByRole("main").getByRole("link", { name: "Demander l’accès" });
  await link.waitFor();
  await tabTo(page, link);
  await keyboard.press("Enter");
  await heading("Demander l’accès au compte adhérent").waitFor();
  assert.ok(await isFocused(heading("Demander l’accès au compte adhérent")));
  assert.equal(await page.title(), "Demander l’accès – Portail adhérents Constructys");
  await assertFit("asking for access");
  const message = page.getByLabel("Message au gestionnaire");
  await tabTo(page, message);
  await keyboard.type("Bonjour, je tiens les comptes depuis lundi.");
  await tabTo(page, button("Demander l’accès"));
  await keyboard.press("Enter");
  await assertDone("Votre demande est transmise.");
  await assertFit("the request that was sent");
  assert.equal((await portal.post("/api/access-requests", {}, bearers[EVE.email])).status, 202);
  verify();

  await opened.context.close();
  opened = await openPage(browser, portal.origin, { viewport: SIZES[0] });
  await openAs(JEANNE, USERS);
  await opened.page.getByText("Bonjour, je tiens les comptes depuis lundi.").waitFor();
  await assertFit("the requests");
  await button(/^Donner l’accès à Mme\sAnne PETIT/).click();
  await assertDone("Anne PETIT a accès au compte");
  await button(/^Refuser la demande de Mme\sÈve LEROY/).click();
  await dialog().getByText("Un e-mail l’en informe").waitFor();
  // Nothing is done where one thinks again: the focus is where it was.
  await opened.page.keyboard.press("Escape");
  assert.ok(await isFocused(button(/^Refuser la demande de Mme\sÈve/)));
  await button(/^Refuser la demande de Mme\sÈve/).click();
  await dialog().getByRole("button", { name: "Refuser la demande" }).click();
  await assertDone("La demande de Mme\u00a0Ève LEROY est refusée");

  // And takes back, by keyboard alone, what was given; also where the first answer was lost.
  const takeBack = button(/^Retirer l’accès de Mme\sAnne PETIT/);
  await tabTo(opened.page, takeBack);
  await opened.page.keyboard.press("Enter");
  const { users } = await portal.read(USERS_API, bearers[JEANNE.email]);
  const path = `${USERS_API}/${users.find(({ email }) => email === ANNE.email).id}`;
  await loseAnswer(path, "DELETE");
  await tabTo(opened.page, dialog().getByRole("button", { name: "Retirer l’accès" }));
  await opened.page.keyboard.press("Enter");
  await dialog().getByRole("alert").filter({ hasText: "ne répond pas" }).waitFor();
  await assertFit("a question without an answer");
  await dialog().getByRole("button", { name: "Retirer l’accès" }).click();
  await assertDone("Anne PETIT n’a plus accès au compte");
});

test("the profile is changed, with what a change takes along said before", { timeout: 180_000 }, async () => {
  const { page, expectRefusal, verify } = opened;
  await openAs(ZOE, "/espace");
  await heading("Bonjour Mme BLANC").waitFor();
  await page.locator("summary", { hasText: "Bonjour Mme BLANC" }).click();
  await page.getByRole("link", { name: "Mon profil" }).click();
  await heading("Mon profil").waitFor();
  assert.ok(await isFocused(heading("Mon profil")));
  await field("Nom").waitFor();
  await assertFit("the profile");

  await field("Nom").fill(" ");
  expectRefusal(422, "/api/me");
  await button("Enregistrer").click();
  await page.getByRole("alert").getByRole("link", { name: /^Nom/ }).click();
  assert.ok(await isFocused(field("Nom")));
  await assertFit("a refused name");
  await field("Nom").fill("Blanchard");
  await field("Fonction").fill("Directrice");
  await button("Enregistrer").click();
  await assertDone("Vos informations sont enregistrées.");
  await page.locator("summary", { hasText: /Bonjour Mme BLANCHARD/i }).waitFor();

  await page.locator("summary", { hasText: "Changer d’adresse" }).click();
  await page.getByText("qui peut annuler le changement pendant 7").waitFor();
  await field("Nouvelle adresse e-mail").fill("zoe@nouvelle.example");
  await field("Confirmation de la nouvelle adresse").fill("zoe@nouvelle.example");
  await field("Mot de passe actuel").fill("ce n’est pas lui");
  expectRefusal(403, "/api/me/email");
  await button("Recevoir le lien").click();
  await page.getByRole("alert").getByRole("link", { name: /^Mot de passe actuel/ }).waitFor();
  await assertFit("a refused address");
  await field("Mot de passe actuel").fill(PASSWORD);
  await button("Recevoir le lien").click();
  await assertDone("Un lien vient d’être envoyé à zoe@nouvelle.example");
  assert.equal(await field("Mot de passe actuel").inputValue(), "");
  await portal.nextMail("zoe@nouvelle.example", "/adresse");

  await page.locator("summary", { hasText: "Changer d’établissement" }).click();
  await page.getByText("vous perdez dès maintenant").waitFor();
  await assertFit("the change of establishment");
  await field("Nouveau SIRET").fill("123");
  expectRefusal(422, "/api/me");
  await button("Changer d’établissement").click();
  await page.getByRole("alert").getByRole("link", { name: /^Nouveau SIRET/ }).waitFor();
  await field("Nouveau SIRET").fill(OTHER.siret);
  await button("Changer d’établissement").click();
  await assertDone("Votre établissement est désormais");
  assert.equal((await portal.read("/api/me", bearers[ZOE.email])).siret, OTHER.siret);
  verify();
});

test("the password is changed by keyboard, and other sessions are closed", { timeout: 180_000 }, async () => {
  const { page, expectRefusal } = opened;
  const { keyboard } = page;
  await openAs(LUC, "/espace/securite");
  await heading("Sécurité").waitFor();
  const rows = page.locator("table tbody tr");
  await page.getByText("celle-ci", { exact: true }).waitFor();
  assert.match(await rows.first().textContent(), /Chrome, Linux.*celle-ci/s, "one’s own comes first");
  assert.equal(await rows.count(), 2);
  await assertFit("the sessions");

  await button(/^Fermer la session/).click();
  await dialog().getByText("déconnecté dès maintenant").waitFor();
  await assertFit("a session that is closed");
  await dialog().getByRole("button", { name: "Fermer cette session" }).click();
  await assertDone("La session est fermée.");
  assert.equal(await rows.count(), 1);
  await page.getByText("Vous n’êtes connecté nulle part ailleurs.").waitFor();

  for (let more = 0; more < 2; more += 1) await portal.post("/api/sessions", { email: LUC.email, password: PASSWORD });
  await page.reload();
  await button("Fermer toutes les autres sessions").click();
  await dialog().getByText("2 autres sessions sont déconnectées").waitFor();
  await dialog().getByRole("button", { name: "Fermer les autres sessions" }).click();
  await assertDone("Vos autres sessions sont fermées.");
  assert.equal(await rows.count(), 1);

  await page.reload();
  await field("Mot de passe actuel").waitFor();
  await tabTo(page, field("Mot de passe actuel"));
  await keyboard.type(PASSWORD);
  await tabTo(page, field("Nouveau mot de passe"));
  await keyboard.type("constructys1");
  await page.getByText("Faible").waitFor();
  await tabTo(page, field("Confirmation du nouveau mot de passe"));
  await keyboard.type("constructys1");
  expectRefusal(422, "/api/me/password");
  await keyboard.press("Enter");
  await page.getByRole("alert").getByRole("link", { name: /^Nouveau mot de passe/ }).waitFor();
  await assertFit("a refused password");
});

test("no password waits behind the log-in, and what else was typed does", { timeout: 120_000 }, async () => {
  const { page } = opened;
  await openAs(ANNE, "/espace/profil");
  await field("Fonction").fill("Cheffe comptable");
  await page.locator("summary", { hasText: "Changer d’adresse" }).click();
  await field("Nouvelle adresse e-mail").fill("anne@nouvelle.example");
  await field("Mot de passe actuel").fill(PASSWORD);
  await endSessionElsewhere(ANNE);
  await button("Recevoir le lien").click();
  await heading("Votre session est terminée").waitFor();
  assert.ok(await isFocused(heading("Votre session est terminée")));
  assert.equal(await page.title(), "Connexion – Portail adhérents Constructys");
  assert.deepEqual(
    await page.locator("input[autocomplete='current-password']").evaluateAll((inputs) => inputs.map(({ value }) => value)),
    ["", ""],
  );
  await logIn(ANNE);
  await heading("Mon profil").waitFor();
  assert.equal(await page.title(), "Mon profil – Portail adhérents Constructys");
  assert.equal(await field("Fonction").inputValue(), "Cheffe comptable");
  assert.equal(await field("Nouvelle adresse e-mail").inputValue(), "anne@nouvelle.example");
  await page.getByText("Votre session était terminée\u00a0: rien n’a été envoyé.").waitFor();
  await assertFit("a form after the log-in");
});

/** Ends every session of somebody, as they would on another device. */
async function endSessionElsewhere({ email }) {
  const session = await portal.post("/api/sessions", { email, password: PASSWORD });
  const { access_token: bearer } = await session.json();
  assert.equal((await portal.send("DELETE", "/api/sessions/all", undefined, bearer)).status, 204);
}

test("who logs in in the place of somebody else sees nothing of theirs", { timeout: 120_000 }, async () => {
  const { page } = opened;
  await openAs(ANNE, "/espace/profil");
  await field("Fonction").fill("Cheffe comptable");
  await endSessionElsewhere(ANNE);
  await button("Enregistrer").click();
  await heading("Votre session est terminée").waitFor();
  await logIn(PAUL);
  await page.locator("summary", { hasText: "Bonjour M. DURAND" }).waitFor();
  await heading("Mon profil").waitFor();
  await page.waitForFunction(() => document.querySelector("input[name=last_name]")?.value === "DURAND");
  assert.equal(await field("Fonction").inputValue(), PAUL.job_title);
});

test("a question that was asked when the session ended is asked again after the log-in", { timeout: 120_000 }, async () => {
  const { page } = opened;
  await openAs(PAUL, USERS);
  await button("Quitter ce compte").click();
  await dialog().getByText("Vous ne verrez plus ce compte").waitFor();
  await endSessionElsewhere(PAUL);
  await dialog().getByRole("button", { name: "Quitter ce compte" }).click();
  await heading("Votre session est terminée").waitFor();
  await logIn(PAUL);
  await dialog().getByText("rien n’a été envoyé").waitFor();
  await page.keyboard.press("Escape");
  await heading("Utilisateurs").waitFor();
});

test("a password whose change was not answered is changed once, and is no wrong one", { timeout: 120_000 }, async () => {
  const { page } = opened;
  await openAs(MAX, "/espace/securite");
  await field("Mot de passe actuel").fill(PASSWORD);
  await field("Nouveau mot de passe").fill(NEW_PASSWORD);
  await field("Confirmation du nouveau mot de passe").fill(NEW_PASSWORD);
  await page.getByText("Fort").waitFor();
  await loseAnswer("/api/me/password", "POST");
  await button("Changer mon mot de passe").click();
  await page.getByRole("alert").filter({ hasText: "ne répond pas" }).waitFor();
  await button("Changer mon mot de passe").click();
  await assertDone("Votre mot de passe est changé.");
  for (const name of ["Mot de passe actuel", "Nouveau mot de passe", "Confirmation du nouveau mot de passe"]) {
    assert.equal(await field(name).inputValue(), "", "no password stays");
  }
  await assertFit("the changed password");
  assert.equal((await portal.post("/api/sessions", { email: MAX.email, password: NEW_PASSWORD })).status, 200);
  assert.equal((await portal.post("/api/sessions", { email: MAX.email, password: PASSWORD })).status, 401);
});

test("the role is handed over by keyboard alone, and who gave it reads on, and leaves", { timeout: 180_000 }, async () => {
  const { page, verify } = opened;
  const { keyboard } = page;
  await openAs(MARC, `/compte/${OTHER.number}/utilisateurs`);
  const heir = page.getByLabel(/FABRE/);
  await heir.waitFor();
  await tabTo(page, heir);
  await keyboard.press("Space");
  await tabTo(page, button("Transmettre le rôle…"));
  await keyboard.press("Enter");
  await dialog().getByText("Vous ne pourrez pas reprendre le rôle vous-même.").waitFor();
  await assertFit("the hand-over");
  await tabTo(page, dialog().getByRole("button", { name: "Transmettre le rôle" }));
  await keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "est gestionnaire du compte" }).waitFor();
  await page.getByRole("heading", { name: "Votre accès" }).waitFor();
  assert.ok(await isFocused(heading("Utilisateurs")));
  assert.equal(await button("Inviter", { exact: true }).count(), 0);
  await assertFit("the reader’s view");

  await tabTo(page, button("Quitter ce compte"));
  await keyboard.press("Enter");
  await assertFit("the question before one leaves");
  await tabTo(page, dialog().getByRole("button", { name: "Quitter ce compte" }));
  await keyboard.press("Enter");
  await heading("Mes comptes").waitFor();
  assert.ok(await isFocused(heading("Mes comptes")));
  await page.getByRole("status").filter({ hasText: `(${OTHER.number})` }).waitFor();
  await page.getByText("Vous n’avez encore accès à aucun compte adhérent.").waitFor();
  await assertFit("the accounts after one left");
  verify();
});

test("oneself and the account are managed by keyboard alone, on a phone", { timeout: 180_000 }, async () => {
  const { page } = opened;
  const { keyboard } = page;
  await page.setViewportSize(SIZES[1]);
  await openAs(JEANNE, USERS);
  await heading("Utilisateurs").waitFor();
  const addresses = field("Adresses e-mail");
  await addresses.waitFor();
  await tabTo(page, addresses, { most: 40 });
  await keyboard.type("clavier@cabinet.example");
  await tabTo(page, button("Inviter", { exact: true }));
  await keyboard.press("Enter");
  await page.getByText("C’est fait").waitFor();

  await heading("Utilisateurs").focus();
  const menu = page.locator("summary", { hasText: "Bonjour Mme MARTIN" });
  await tabTo(page, menu, { most: 60 });
  await keyboard.press("Enter");
  await tabTo(page, page.getByRole("link", { name: "Mon profil" }));
  await keyboard.press("Enter");
  await heading("Mon profil").waitFor();
  assert.ok(await isFocused(heading("Mon profil")));
  await tabTo(page, field("Fonction"));
  await keyboard.press("Control+A");
  await keyboard.type("Gérante");
  await keyboard.press("Enter");
  await assertDone("Vos informations sont enregistrées.");
  assert.equal((await portal.read("/api/me", bearers[JEANNE.email])).job_title, "Gérante");

  await tabTo(page, page.locator("summary", { hasText: "Changer d’établissement" }));
  await keyboard.press("Enter");
  await tabTo(page, field("Nouveau SIRET"));
  await keyboard.type("533 846 150 00027");
  opened.expectRefusal(409, "/api/me");
  await keyboard.press("Enter");
  // Others read the account that she manages.
  await page.getByRole("alert").filter({ hasText: "Transmettez d’abord le rôle de gestionnaire" }).waitFor();
  await assertFit("a manager who has to hand over first");
});

test("one’s data are one file, and the space is gone after its erasure", { timeout: 180_000 }, async () => {
  const { page, expectRefusal, verify } = opened;
  await openAs(NEW, "/espace/donnees");
  await heading("Mes données").waitFor();
  await page.getByRole("heading", { name: "Supprimer mon espace" }).waitFor();
  await assertFit("one’s data");
  const [download] = await Promise.all([page.waitForEvent("download"), button("Télécharger mes données").click()]);
  assert.match(download.suggestedFilename(), /^mes-donnees-constructys-\d{4}-\d\d-\d\d\.json$/);
  const whole = JSON.parse(await readFile(await download.path(), "utf8"));
  assert.equal(whole.profile.email, NEW.email);
  await page.getByText("Votre fichier est prêt.").waitFor();
  await assertFit("the file");

  await field("Mot de passe actuel").fill("ce n’est pas lui");
  expectRefusal(403, "/api/me");
  await button("Supprimer définitivement mon espace").click();
  await page.getByRole("alert").getByRole("link", { name: /^Mot de passe actuel/ }).waitFor();
  await assertFit("a refused erasure");
  await field("Mot de passe actuel").fill(PASSWORD);
  await button("Supprimer définitivement mon espace").click();
  await heading("Votre espace est supprimé").waitFor();
  assert.ok(await isFocused(heading("Votre espace est supprimé")));
  assert.equal(await page.title(), "Espace supprimé – Portail adhérents Constructys");
  assert.doesNotMatch(await page.content(), /NOIR|ines@/, "nothing of them is in the document");
  await assertFit("the farewell");
  await page.getByRole("link", { name: "Revenir à l’accueil du portail" }).click();
  await page.waitForURL(`${portal.origin}/`);
  assert.equal((await portal.post("/api/sessions", { email: NEW.email, password: PASSWORD })).status, 401);
  verify();
});
