// The portal under test: one local process with nothing on disk, ended by its process id.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, "../..");
const binary = path.resolve(here, process.env.PORTAL_BINARY ?? "../../target/debug/local");

const START_MS = 60_000;
const MAIL_MS = 30_000;
const STOP_MS = 5_000;

/** Starts a portal of its own for a test file; with the demo data, it knows establishments. */
export async function startPortal({ demo = false } = {}) {
  const child = spawn(binary, ["--memory", "--port", "0", ...(demo ? [] : ["--no-demo"])], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  // If the test process itself dies early, the portal must not outlive it.
  const killWithUs = () => child.kill("SIGKILL");
  process.once("exit", killWithUs);

  const origin = await addressOf(child);
  const handed = new Set();

  return {
    origin,

    /** Signs a person up through the API, as the form would. */
    async signUp(person) {
      const terms = await this.referenceTo("terms");
      await json(await this.post("/api/signup", { ...person, email_confirmation: person.email, terms }), 202);
    },

    /** Opens a space, and signs in: the access token. */
    async openSpace(person, password) {
      await this.signUp(person);
      const token = /mot-de-passe#([\w-]+)/.exec((await this.nextPasswordMail(person.email)).html)[1];
      const created = await this.post("/api/password", { token, password, password_confirmation: password });
      assert.equal(created.status, 204);
      const session = await this.post("/api/sessions", { email: person.email, password });
      return (await json(session, 200)).access_token;
    },

    /** Opens a space, becomes manager and says OUI. */
    async openAccount(person, password, number) {
      const bearer = await this.openSpace(person, password);
      const charter = { kind: "charter", ...(await this.referenceTo("charter")) };
      await json(await this.post("/api/acceptances", charter, bearer), 201);
      const claim = { member_number: number, account_terms: await this.referenceTo("account-terms") };
      await json(await this.post("/api/manager-claims", claim, bearer), 201);
      await json(await this.send("PUT", `/api/accounts/${number}/activation`, { use: true }, bearer), 200);
      return bearer;
    },

    post(path, body, bearer) {
      return this.send("POST", path, body, bearer);
    },

    send(method, path, body, bearer) {
      const headers = { "Content-Type": "application/json" };
      if (bearer) headers.Authorization = `Bearer ${bearer}`;
      return fetch(origin + path, { method, headers, body: JSON.stringify(body) });
    },

    /** An answer of the API, read as the one who is signed in. */
    async read(path, bearer) {
      return json(await fetch(origin + path, { headers: { Authorization: `Bearer ${bearer}` } }), 200);
    },

    /** The version and the hash of a legal document, as one accepts it. */
    async referenceTo(kind) {
      const { version, sha256 } = await json(await fetch(`${origin}/api/documents/${kind}`), 200);
      return { version, sha256 };
    },

    /** Waits for a mail with a password link to this address; each mail is handed out once. */
    nextPasswordMail(address) {
      return this.nextMail(address, "/mot-de-passe");
    },

    /** Waits for a mail to this address with a link to this page; each mail is handed out once. */
    async nextMail(address, target) {
      const deadline = Date.now() + MAIL_MS;
      while (Date.now() < deadline) {
        const mails = await json(await fetch(`${origin}/_local/mail.json`), 200);
        const index = mails.findIndex(
          ({ to, html }, place) => to === address && html.includes(`${target}#`) && !handed.has(place),
        );
        if (index >= 0) {
          handed.add(index);
          return mails[index];
        }
        await sleep(100);
      }
      throw new Error(`no mail with a link to ${target} to ${address} within ${MAIL_MS} ms`);
    },

    async stop() {
      process.off("exit", killWithUs);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(late);
    },
  };
}

async function json(response, status) {
  const text = await response.text();
  assert.equal(response.status, status, `${response.url} answered: ${text}`);
  return JSON.parse(text);
}

function addressOf(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (chunk) => {
      said += chunk;
      // Up to the end of the line, so that a port is never read by halves.
      const address = /(http:\/\/localhost:\d+)\b.*\n/.exec(said);
      if (address) {
        clearTimeout(late);
        resolve(address[1]);
      }
    };
    const late = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`the portal gave no address within ${START_MS} ms; it said:\n${said}`));
    }, START_MS);
    child.stdout.setEncoding("utf8").on("data", listen);
    child.stderr.setEncoding("utf8").on("data", (chunk) => (said += chunk));
    child.once("error", (cause) => {
      clearTimeout(late);
      reject(new Error(`${binary} does not start; build it with \`cargo build -p local\``, { cause }));
    });
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`the portal ended with ${code} before it gave an address; it said:\n${said}`));
    });
  });
}
