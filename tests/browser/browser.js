// Chromium as a member's browser, watched: what it asks for, what it complains about, what it shows.

import assert from "node:assert/strict";
import axe from "axe-core";
import { chromium } from "playwright-core";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** WCAG 2.2 AA, and what axe's makers recommend beyond it. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export function launch(options = {}) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS, ...options });
}

/**
 * A page of a fresh browser profile. `verify()` fails on console errors, script errors and requests outside the
 * origin; a refusal that the test provokes, which Chromium reports on the console, is announced by `expectRefusal`.
 */
export async function openPage(browser, origin, options = {}) {
  const context = await browser.newContext({ locale: "fr-FR", reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);

  const complaints = [];
  const requested = [];
  const expected = [];
  context.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const { url } = message.location();
    const announced = expected.findIndex(
      ({ status, path }) => url === origin + path && message.text().includes(`status of ${status} `),
    );
    if (announced >= 0) expected.splice(announced, 1);
    else complaints.push(`${message.type()}: ${message.text()} (${url})`);
  });
  context.on("weberror", (error) => complaints.push(`script: ${error.error()}`));
  context.on("request", (request) => requested.push(request.url()));

  return {
    context,
    page,
    requested,
    expectRefusal(status, path) {
      expected.push({ status, path });
    },
    /** Answers for the portal on one path. */
    answer(path, status, { body, headers = {}, times } = {}) {
      return page.route(
        origin + path,
        (route) =>
          route.fulfill({
            status,
            headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json", ...headers },
            body: body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body),
          }),
        { times },
      );
    },
    verify() {
      assert.deepEqual(complaints, [], "the console stays silent");
      assert.deepEqual(expected, [], "each expected refusal happened");
      assert.deepEqual(
        requested.filter((url) => new URL(url).origin !== origin),
        [],
        "no request leaves the origin",
      );
    },
  };
}

/** A problem document, as little of it as the pages need. */
export function problem(status, slug, more = {}) {
  return { type: `/problems/${slug}`, title: "Titre", status, request_id: "request-1", ...more };
}

/**
 * The address behind the button of a mail, read as a mail client reads it: from the HTML, without scripts. It leads to
 * `target`, a page of the portal.
 */
export async function buttonOf(browser, mail, target = "/mot-de-passe") {
  const context = await browser.newContext({ javaScriptEnabled: false });
  try {
    const page = await context.newPage();
    const requested = [];
    page.on("request", (request) => requested.push(request.url()));
    await page.setContent(mail.html);
    assert.deepEqual(requested, [], "the mail loads nothing from anywhere");
    // The plain link below the button leads to the same place; its words are its address.
    const buttons = page.locator(`a[href*="${target}#"]`).filter({ hasNotText: "://" });
    assert.equal(await buttons.count(), 1, "the mail has one button");
    return await buttons.getAttribute("href");
  } finally {
    await context.close();
  }
}

/** Fails on any accessibility violation of what the page shows now: light, dark, and with colours that are forced on it. */
export async function assertAccessible(page, what) {
  for (const look of [{ colorScheme: "light" }, { colorScheme: "dark" }, { forcedColors: "active" }]) {
    await page.emulateMedia(look);
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async (values) => {
      const results = await window.axe.run(document, { runOnly: { type: "tag", values } });
      return results.violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.map(({ html }) => html) }));
    }, RULES);
    assert.deepEqual(violations, [], `${what}, ${JSON.stringify(look)}`);
  }
  await page.emulateMedia({ colorScheme: null, forcedColors: null });
}

/** Presses Tab, or Shift+Tab, until the focus is there; every stop on the way must show where the focus is. */
export async function tabTo(page, target, { key = "Tab", most = 25 } = {}) {
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press(key);
    const stop = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return { html: document.activeElement.outerHTML, outlineStyle, width: parseFloat(outlineWidth) };
    });
    if (stop.html.startsWith("<body")) continue;
    assert.ok(stop.outlineStyle !== "none" && stop.width >= 2, `the focus is visible on ${stop.html}`);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  assert.fail(`the keyboard does not reach ${target}`);
}

/** Logs out by the menu of the space. */
export async function logOutOfSpace(page) {
  await page.locator("summary", { hasText: "Bonjour" }).click();
  await page.getByRole("button", { name: "Se déconnecter" }).click();
}
