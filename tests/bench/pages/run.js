// What the pages weigh and how long one waits for them, beside the goals: `make pages-bench`.

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { brotliCompressSync } from "node:zlib";
import { launch } from "../../browser/browser.js";
import { startPortal } from "../../browser/portal.js";
import { startEdge } from "./edge.js";

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const DIST = path.resolve(import.meta.dirname, "../../../web/dist");
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
/** Lighthouse's slow phone, and a worse line. */
const LINES = {
  "slow 4G": { latency: 150, kilobits: 1600, processor: 4 },
  "3G": { latency: 300, kilobits: 400, processor: 1 },
};

const rows = [];
function row(what, value, unit, goal) {
  const verdict = goal === undefined ? "" : value <= goal ? "reached" : "SHORT";
  rows.push(`${what.padEnd(64)} ${value.toFixed(unit === "s" ? 2 : unit === "KiB" ? 1 : 0).padStart(8)} ${unit.padEnd(4)} ${goal === undefined ? "" : `at most ${goal}`.padEnd(13)} ${verdict}`);
}

const median = (values) => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];

/** A page of a fresh profile behind this line. */
async function behind(browser, line, cookies) {
  const context = await browser.newContext({ locale: "fr-FR", viewport: { width: 412, height: 823 } });
  if (cookies) await context.addCookies(cookies);
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  const bytes = { sum: 0, requests: 0 };
  session.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes.sum += encodedDataLength;
    bytes.requests += 1;
  });
  const { latency, kilobits, processor } = LINES[line];
  const throughput = (kilobits * 1024) / 8;
  await session.send("Network.emulateNetworkConditions", { offline: false, latency, downloadThroughput: throughput, uploadThroughput: throughput });
  await session.send("Emulation.setCPUThrottlingRate", { rate: processor });
  return { context, page, bytes };
}

async function timed(act) {
  const began = performance.now();
  await act();
  return (performance.now() - began) / 1000;
}

function weigh() {
  const folder = path.join(DIST, "assets");
  const scripts = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const weight = scripts.reduce((sum, name) => sum + brotliCompressSync(readFileSync(path.join(folder, name))).length, 0);
  row("all script of all pages, Brotli", weight / 1024, "KiB", 60);
}

const portal = await startPortal({ demo: true });
const edge = await startEdge(portal.origin);
const browser = await launch();
try {
  await portal.openAccount(JEANNE, PASSWORD, NUMBER);
  weigh();
  for (const line of Object.keys(LINES)) {
    const usable = [];
    const firstRow = [];
    const change = [];
    let cold;
    let deep;
    for (let round = 0; round < ROUNDS; round += 1) {
      const front = await behind(browser, line);
      usable.push(await timed(async () => {
        await front.page.goto(`${edge.origin}/`, { waitUntil: "commit" });
        await front.page.getByLabel("Mot de passe", { exact: true }).click();
      }));
      await front.page.waitForLoadState("networkidle");
      cold = front.bytes;
      await front.context.close();

      const signedIn = await browser.newContext();
      const answer = await signedIn.request.post(`${edge.origin}/api/sessions`, { data: { email: JEANNE.email, password: PASSWORD } });
      if (!answer.ok()) throw new Error(`the log-in answered ${answer.status()}`);
      const { cookies } = await signedIn.storageState();
      await signedIn.close();
      const account = await behind(browser, line, cookies);
      firstRow.push(await timed(async () => {
        await account.page.goto(`${edge.origin}/compte/${NUMBER}/ecritures?annee=2012`, { waitUntil: "commit" });
        await account.page.locator("main table tbody tr").first().waitFor();
      }));
      await account.page.waitForLoadState("networkidle");
      deep = { ...account.bytes };
      change.push(await timed(async () => {
        await account.page.getByRole("link", { name: "Actions", exact: true }).click();
        await account.page.getByRole("table", { name: /^Actions de/ }).locator("tbody tr").first().waitFor();
      }));
      await account.context.close();
    }
    const goals = line === "3G" ? { usable: 1.1, row: 1.8, change: 0.55 } : { usable: 0.7, row: 1.2, change: 0.35 };
    row(`log-in page, cold, field usable, ${line}`, median(usable), "s", goals.usable);
    if (line === "3G") {
      row("log-in page, cold, bytes", cold.sum / 1024, "KiB", 14);
      row("log-in page, cold, requests", cold.requests, "", 5);
      row("an account by deep link, cold, bytes with data", deep.sum / 1024, "KiB", 40);
    }
    row(`an account by deep link, cold, first row, ${line}`, median(firstRow), "s", goals.row);
    row(`change of view inside the account, ${line}`, median(change), "s", goals.change);
  }
} finally {
  await browser.close();
  await edge.stop();
  await portal.stop();
}
console.log(rows.join("\n"));
