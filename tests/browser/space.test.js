// The member's space in a browser: from the log-in to the last euro, with the demo's ledger.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { assertAccessible, launch, logOutOfSpace, openPage, problem, tabTo } from "./browser.js";
import { startPortal } from "./portal.js";

const NUMBER = "012345";
const PASSWORD = "truelle béton mésange 41";
const JEANNE = {
  siret: "53384615000019",
  civility: "mme",
  last_name: "MARTIN",
  first_name: "Jeanne",
  job_title: "Comptable",
  email: "jeanne@martin.example",
};
const PAUL = { ...JEANNE, siret: "73282932000074", civility: "m", last_name: "DURAND", first_name: "Paul", email: "paul@durand.example" };
const PHONE = { width: 320, height: 640 };

let portal;
let browser;
let bearer;
let opened;

before(async () => {
  portal = await startPortal({ demo: true });
  bearer = await portal.openAccount(JEANNE, PASSWORD, NUMBER);
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

const heading = (name) => opened.page.getByRole("heading", { level: 1, name });
const rows = () => opened.page.locator("main table.cards tbody tr");
/** « 1 234,56 € » of cents, written by other code than the pages'. */
function euros(cents) {
  const [whole, part] = (Math.abs(cents) / 100).toFixed(2).split(".");
  return `${cents < 0 ? "\u2212" : ""}${whole.replace(/\B(?=(\d{3})+$)/g, "\u202f")},${part}\u00a0€`;
}

/** Opens an address of the space as who has no session, and logs in there. */
async function openSignedIn(address) {
  opened.expectRefusal(401, "/api/sessions/refresh");
  await opened.page.goto(portal.origin + address);
  await heading("Connexion").waitFor();
  await opened.page.getByLabel("Identifiant").fill(JEANNE.email);
  await opened.page.getByLabel("Mot de passe", { exact: true }).fill(PASSWORD);
  await opened.page.getByRole("button", { name: "Se connecter" }).click();
}

async function assertNoOverflow(what) {
  assert.equal(await opened.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, what);
}

test("an address of an account opens after the log-in, with the figures of the API", async () => {
  await openSignedIn(`/compte/${NUMBER}?annee=2012`);
  await heading("Vue d’ensemble 2012").waitFor();
  const { views } = await portal.read(`/api/accounts/${NUMBER}/summary`, bearer);
  const { totals } = views.find(({ view }) => view === 2012);
  for (const [name, cents] of [
    ["Engagé", totals.committed],
    ["Réglé", totals.paid],
    ["En cours de traitement", totals.in_progress],
    ["Cotisations versées", totals.contributed],
  ]) {
    const figure = opened.page.locator(".figure", { has: opened.page.getByText(name, { exact: true }) });
    assert.equal(await figure.locator(".figure-amount").textContent(), euros(cents), name);
  }
  assert.equal(await opened.page.title(), `Vue d’ensemble 2012 – MARTIN BTP (${NUMBER}) – Portail adhérents Constructys`);
  assert.equal(await opened.page.getByRole("img", { name: /^Engagé, 2012/ }).count(), 1);
  await assertAccessible(opened.page, "the overview");
  await opened.page.setViewportSize(PHONE);
  await assertNoOverflow("the overview on a phone");
  opened.verify();
});

test("a chart's figures are a table one key away, and two years stand side by side", async () => {
  await openSignedIn(`/compte/${NUMBER}?annee=2012`);
  await heading("Vue d’ensemble 2012").waitFor();
  await opened.page.getByLabel("Comparer à").selectOption("2011");
  const chart = opened.page.locator("figure.committed").first();
  await chart.getByRole("button", { name: /Tableau/ }).click();
  const { views } = await portal.read(`/api/accounts/${NUMBER}/summary`, bearer);
  const sum = (year) => views.find(({ view }) => view === year).by_month.reduce((total, month) => total + month.committed, 0);
  const shown = await chart.locator("tbody tr").evaluateAll((all) => all.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent)));
  const cents = (text) => Number(text.replace(/[^\d,\u2212]/g, "").replace("\u2212", "-").replace(",", ""));
  for (const [place, year] of [2012, 2011].entries()) {
    assert.equal(shown.reduce((total, row) => total + cents(row[place]), 0), sum(year), String(year));
  }
  assert.match(opened.page.url(), /comparer=2011/);
  opened.verify();
});

test("actions are filtered, searched and sorted in the address, and the way back finds them again", async () => {
  await openSignedIn(`/compte/${NUMBER}/actions?annee=2011`);
  await heading("Actions de 2011").waitFor();
  const all = await portal.read(`/api/accounts/${NUMBER}/actions?view=2011`, bearer);
  await rows().first().waitFor();
  assert.equal(await rows().count(), Math.min(50, all.items.length));
  assert.equal(await opened.page.locator(".totals dd").first().textContent(), euros(all.totals.committed));

  await opened.page.getByRole("button", { name: "Engagé", exact: true }).click();
  await opened.page.waitForURL(/tri=-engage/);
  const [first] = (await portal.read(`/api/accounts/${NUMBER}/actions?view=2011&sort=-committed`, bearer)).items;
  await rows().first().getByRole("link", { name: first.title }).waitFor();

  await opened.page.getByLabel("État").selectOption("regle");
  await opened.page.waitForURL(/etat=regle/);
  const paid = await portal.read(`/api/accounts/${NUMBER}/actions?view=2011&status=PAID`, bearer);
  await opened.page.locator(".totals dd").first().filter({ hasText: euros(paid.totals.committed) }).waitFor();
  assert.equal(await rows().count(), paid.items.length);

  const link = rows().last().getByRole("link");
  const title = await link.textContent();
  await link.scrollIntoViewIfNeeded();
  const before = await opened.page.evaluate(() => scrollY);
  await link.click();
  await heading(title).waitFor();
  assert.equal(await opened.page.evaluate(() => document.activeElement.localName), "h1");
  await opened.page.goBack();
  await heading("Actions de 2011").waitFor();
  await opened.page.waitForFunction((text) => document.activeElement.textContent === text, title);
  assert.ok(Math.abs((await opened.page.evaluate(() => scrollY)) - before) <= 10, "the row is where it was");
  assert.match(opened.page.url(), /etat=regle/);

  await opened.page.getByRole("button", { name: /État : réglé/ }).click();
  await opened.page.waitForURL((url) => !url.search.includes("etat"));
  await assertAccessible(opened.page, "the actions");
  await opened.page.setViewportSize(PHONE);
  await assertNoOverflow("the actions on a phone");
  await assertAccessible(opened.page, "the actions on a phone");
  opened.verify();
});

test("exactly what is shown is downloaded, and the statement of the year", async () => {
  await openSignedIn(`/compte/${NUMBER}/actions?annee=2011&etat=regle`);
  await rows().first().waitFor();
  const { page } = opened;
  const download = async (name) => {
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
  };
  const csv = await download(/Télécharger les actions en CSV/);
  assert.match(csv.name, /\.csv$/);
  const [head, ...lines] = csv.bytes.toString("utf8").replace("\uFEFF", "").trim().split("\r\n").map((line) => line.split(";"));
  const shown = await portal.read(`/api/accounts/${NUMBER}/actions?view=2011&status=PAID`, bearer);
  assert.equal(lines.length, shown.items.length);
  const committed = lines.reduce((sum, line) => sum + Math.round(Number(line[head.indexOf("Engagé (€)")].replace(",", ".")) * 100), 0);
  assert.equal(committed, shown.totals.committed);
  await assertAccessible(page, "the actions with their files");

  await page.getByRole("navigation", { name: "Compte adhérent" }).getByRole("link", { name: "Fichiers" }).click();
  await heading("Fichiers").waitFor();
  await page.getByText("Aucun fichier n’a été demandé depuis hier.").waitFor();
  const statement = await download(/Télécharger le relevé en PDF/);
  assert.equal(statement.bytes.subarray(0, 5).toString(), "%PDF-");
  await assertAccessible(page, "the files");
  await page.setViewportSize(PHONE);
  await assertNoOverflow("the files on a phone");
  opened.verify();
});

test("a file that is too long for an answer is prepared, and found with the files", async () => {
  await openSignedIn(`/compte/${NUMBER}/ecritures?annee=2012`);
  await rows().first().waitFor();
  const { page } = opened;
  opened.expectRefusal(409, `/api/accounts/${NUMBER}/file-links`);
  await opened.answer(`/api/accounts/${NUMBER}/file-links`, 409, { body: problem(409, "export-too-large"), times: 1 });
  await page.getByRole("button", { name: /Télécharger les écritures en CSV/ }).click();
  await heading("Fichiers").waitFor();
  const button = rows().first().getByRole("button", { name: /^Télécharger/ });
  await button.waitFor();
  await assertAccessible(page, "a file that is ready");
  const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const lines = (await readFile(await file.path())).toString("utf8").trim().split("\r\n");
  const { items } = await portal.read(`/api/accounts/${NUMBER}/ledger?view=2012&limit=200`, bearer);
  assert.equal(lines.length - 1, items.length);
});

test("one's accounts have their figures and their last movement, and another one opens on the same screen", async () => {
  await openSignedIn(`/compte/${NUMBER}/cotisations?annee=2011`);
  await heading("Cotisations de 2011").waitFor();
  await opened.page.getByRole("link", { name: "Changer" }).click();
  await heading("Mes comptes").waitFor();
  const { accounts } = await portal.read("/api/accounts", bearer);
  const { figures } = accounts[0];
  const cells = await rows().first().locator("td").allTextContents();
  assert.equal(`${cells[1]}\u00a0€`, euros(figures.totals.committed));
  assert.equal(cells[0], figures.last_movement_on.split("-").reverse().join("/"));
  await assertAccessible(opened.page, "the accounts");
  await opened.page.setViewportSize(PHONE);
  await assertNoOverflow("the accounts on a phone");
  await opened.page.getByLabel("Chercher un compte").fill("tin");
  await opened.page.keyboard.press("Enter");
  await heading("Cotisations de 2011").waitFor();
  opened.verify();
});

test("an action, its entries and the transfer that paid it lead to each other", async () => {
  const { items } = await portal.read(`/api/accounts/${NUMBER}/actions?view=2011&status=PAID`, bearer);
  const action = items.find(({ paid_to_company: paid }) => paid > 0);
  const detail = await portal.read(`/api/accounts/${NUMBER}/actions/${action.action_id}`, bearer);
  await openSignedIn(`/compte/${NUMBER}/actions/${action.action_id}`);
  await heading(action.title).waitFor();
  await rows().first().waitFor();
  assert.equal(await rows().count(), detail.entries.length);
  await assertAccessible(opened.page, "an action");
  await opened.page.setViewportSize(PHONE);
  await assertNoOverflow("an action on a phone");
  await opened.page.setViewportSize({ width: 1280, height: 720 });

  const payment = detail.entries.find(({ remittance_number: number }) => number);
  await opened.page.getByRole("link", { name: payment.remittance_number }).first().click();
  await heading(`Virement ${payment.remittance_number}`).waitFor();
  const transfer = await portal.read(
    `/api/accounts/${NUMBER}/remittance?number=${encodeURIComponent(payment.remittance_number)}&source=${payment.source}`,
    bearer,
  );
  await opened.page.locator(".totals dd").first().filter({ hasText: euros(transfer.amount) }).waitFor();
  assert.equal(await rows().count(), transfer.lines.length);
  await assertAccessible(opened.page, "a transfer");
  opened.verify();
});

test("every list of the account opens from its tab, by the keyboard alone, and adds up", async () => {
  await openSignedIn(`/compte/${NUMBER}?annee=2011`);
  await heading("Vue d’ensemble 2011").waitFor();
  const { page } = opened;
  const press = async (name) => {
    await tabTo(page, page.getByRole("navigation", { name: "Compte adhérent" }).getByRole("link", { name }), { key: "Shift+Tab" });
    await page.keyboard.press("Enter");
  };
  for (const [tab, title, path] of [
    ["Actions", "Actions de 2011", "actions?view=2011&limit=50"],
    ["Virements", "Virements de l’exercice 2011", "remittances?view=2011&limit=50"],
    ["Cotisations", "Cotisations de 2011", "contributions?view=2011&limit=50"],
    ["Écritures", "Écritures de 2011", "ledger?view=2011&limit=50"],
  ]) {
    await press(tab);
    await heading(title).waitFor();
    await page.waitForFunction(() => document.activeElement.localName === "h1");
    const { items } = await portal.read(`/api/accounts/${NUMBER}/${path}`, bearer);
    await rows().first().waitFor();
    assert.equal(await rows().count(), items.length, tab);
    await assertAccessible(page, tab);
    await page.setViewportSize(PHONE);
    await assertNoOverflow(`${tab} on a phone`);
    await page.setViewportSize({ width: 1280, height: 720 });
  }
  opened.verify();
});

test("the first row of a list is eight stops away at most, and a reversal leads to what it reverses", async () => {
  await openSignedIn(`/compte/${NUMBER}/actions?annee=2011`);
  await rows().first().waitFor();
  const { page } = opened;
  await heading("Actions de 2011").focus();
  await tabTo(page, page.getByRole("link", { name: "Aller à la liste" }), { most: 2 });
  await page.keyboard.press("Enter");
  await tabTo(page, rows().first().getByRole("link"), { most: 5 });

  const all = await portal.read(`/api/accounts/${NUMBER}/ledger?from=2009-01-01&to=2026-12-31&kind=REVERSAL`, bearer);
  const reversal = all.items.find(({ action_id: action }) => action);
  await page.goto(`${portal.origin}/compte/${NUMBER}/actions/${reversal.action_id}`);
  await page.locator(`[id="${reversal.entry_id}"]`).getByRole("link", { name: "annule l’écriture d’origine" }).click();
  await page.waitForFunction((id) => document.querySelector("tr:target")?.id === id, reversal.reverses);
  assert.notEqual(await page.evaluate(() => document.activeElement.localName), "h1");
});

test("who logs out in one tab is signed out in the other, where nothing of the session stays", async () => {
  await openSignedIn("/comptes");
  await heading("Mes comptes").waitFor();
  const other = await opened.context.newPage();
  await other.goto(`${portal.origin}/espace`);
  await other.getByRole("heading", { level: 1, name: "Bonjour Mme MARTIN" }).waitFor();
  await other.getByRole("link", { name: "Mes comptes", exact: true }).click();
  await other.getByRole("heading", { level: 1, name: "Mes comptes" }).waitFor();
  await logOutOfSpace(other);
  await other.waitForURL(`${portal.origin}/`);

  await heading("Connexion").waitFor();
  assert.doesNotMatch(await opened.page.locator("body").innerHTML(), /MARTIN/);
  await other.goBack();
  await other.getByRole("heading", { level: 1, name: "Connexion" }).waitFor();
  assert.doesNotMatch(await other.locator("body").innerHTML(), /MARTIN/);
});

test("a session that ends by itself leaves what was typed to the same person, and nothing to another", async () => {
  const { page } = opened;
  const end = async () => {
    // The portal no longer knows the session.
    await page.context().clearCookies();
    await page.route("**/api/**", (route) => route.fulfill({ status: 401, headers: { "Content-Type": "application/problem+json" }, body: "{}" }), { times: 1 });
    await page.getByRole("link", { name: "Accueil" }).click();
    await heading("Votre session est terminée").waitFor();
    await page.goBack();
  };
  const logIn = async (email) => {
    await page.getByLabel("Identifiant").fill(email);
    await page.getByLabel("Mot de passe", { exact: true }).fill(PASSWORD);
    await page.getByRole("button", { name: "Se connecter" }).click();
  };
  await openSignedIn("/comptes");
  await heading("Mes comptes").waitFor();
  await page.getByLabel("Chercher un compte").fill("mart");
  await end();
  assert.equal(await page.getByLabel("Mot de passe", { exact: true }).inputValue(), "");
  await logIn(JEANNE.email);
  await heading("Mes comptes").waitFor();
  assert.equal(await page.getByLabel("Chercher un compte").inputValue(), "mart");

  await portal.openSpace(PAUL, PASSWORD);
  await end();
  await logIn(PAUL.email);
  await page.getByText("Vous n’avez encore accès à aucun compte adhérent.").waitFor();
  assert.doesNotMatch(await page.locator("main").innerHTML(), /MARTIN BTP/);
});

test("the end of a session is told two minutes before, and one key extends it in all tabs", async () => {
  const { page } = opened;
  await openSignedIn("/comptes");
  await heading("Mes comptes").waitFor();
  // The portal's answers, with an end that is near; then as they are.
  const near = async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), session_idle_in: 100 } });
  };
  await opened.context.route("**/api/sessions/refresh", near, { times: 1 });
  const other = await opened.context.newPage();
  await other.goto(`${portal.origin}/espace`);
  await other.getByRole("dialog").waitFor();
  await page.getByRole("dialog").waitFor();
  assert.match(await page.getByRole("dialog").textContent(), /se termine dans 2\u00a0minutes/);
  await assertAccessible(page, "the notice");
  await page.bringToFront();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await other.getByRole("dialog").waitFor({ state: "hidden" });
});

test("an answer that is lost is asked for again, and what is there stays", async () => {
  await openSignedIn(`/compte/${NUMBER}/actions?annee=2011`);
  await heading("Actions de 2011").waitFor();
  await rows().first().waitFor();
  await opened.context.route("**/virements**", (route) => route.continue());
  await opened.page.route("**/api/accounts/*/remittances**", (route) => route.abort(), { times: 1 });
  await opened.page.getByRole("link", { name: "Virements" }).click();
  await opened.page.getByText("Le portail ne répond pas.").waitFor();
  await opened.page.getByRole("button", { name: "Réessayer" }).click();
  await rows().first().waitFor();
});

test("an address of nothing says so, and where to go on", async () => {
  await openSignedIn("/compte/999999");
  await opened.page.getByText("Rien ne se trouve à cette adresse").waitFor();
  await opened.page.goto(`${portal.origin}/espace/rien`);
  await heading("Cette page n’existe pas").waitFor();
  await assertAccessible(opened.page, "a page that is not there");
});
