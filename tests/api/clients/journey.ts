// From the sign-up to a page of the ledger, with the generated client alone; the mail's link comes from the mail box.

import { client } from "./client/client.gen";
import * as portal from "./client/sdk.gen";
import type { DocumentKind, EntryPage, LedgerEntry, Problem, Signup } from "./client/types.gen";

declare const process: { env: Record<string, string> };

const MAIL_SECONDS = 30;
const { PORTAL_ORIGIN: origin, PASSWORD: password, NUMBER: number, SIRET: siret } = process.env;
const email = "typescript@client.example";

type Said = { response?: Response; error?: unknown };

/** The answer, which has to be a good one. */
function got<T>(said: Said & { data?: T }): T {
  if (said.data === undefined) throw new Error(`${said.response?.status}: ${JSON.stringify(said.error)}`);
  return said.data;
}

/** The problem, which has to be this one. */
function refused(said: Said, type: Problem["type"]): Problem {
  const problem = said.error as Problem | undefined;
  if (problem?.type !== type) throw new Error(`${said.response?.status}, not ${type}: ${JSON.stringify(problem)}`);
  return problem;
}

/** The version and hash of a legal document. */
async function read(kind: DocumentKind): Promise<{ version: number; sha256: string }> {
  const { version, sha256 } = got(await portal.readCurrentDocument({ path: { kind } }));
  return { version, sha256 };
}

/** The token of the link that was mailed. */
async function mailedToken(): Promise<string> {
  const deadline = Date.now() + MAIL_SECONDS * 1000;
  while (Date.now() < deadline) {
    const mails: { to: string; text: string }[] = await (await fetch(`${origin}/_local/mail.json`)).json();
    for (const mail of mails) {
      const link = mail.to === email && /\/mot-de-passe#([\w-]+)/.exec(mail.text);
      if (link) return link[1];
    }
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`no mail to ${email} within ${MAIL_SECONDS} seconds`);
}

async function journey(): Promise<void> {
  client.setConfig({ baseUrl: origin });
  const form: Signup = {
    siret,
    civility: "mme",
    last_name: "MARTIN",
    first_name: "Jeanne",
    job_title: "Comptable",
    email,
    email_confirmation: "other@client.example",
    terms: await read("terms"),
  };
  const problem = refused(await portal.signUp({ body: form }), "/problems/invalid-input");
  const fields = problem.errors?.map((error) => error.field).join();
  if (fields !== "email_confirmation") throw new Error(`${fields} are wrong`);
  got(await portal.signUp({ body: { ...form, email_confirmation: email } }));

  const token = await mailedToken();
  const link = got(await portal.readPasswordLink({ body: { token } }));
  if (link.email !== email || link.purpose !== "activation") throw new Error(JSON.stringify(link));
  const chosen = { token, password, password_confirmation: password };
  const set = await portal.createPassword({ body: chosen });
  if (set.response?.status !== 204) throw new Error(`${set.response?.status}`);
  refused(await portal.createPassword({ body: chosen }), "/problems/link-invalid");

  refused(await portal.logIn({ body: { email, password: "another" } }), "/problems/bad-credentials");
  const session = got(await portal.logIn({ body: { email, password } }));
  client.setConfig({ auth: session.access_token });

  got(await portal.acceptDocument({ body: { kind: "charter", ...(await read("charter")) } }));
  got(await portal.claimManager({ body: { member_number: number, account_terms: await read("account-terms") } }));
  refused(await portal.listEntries({ path: { number } }), "/problems/account-not-activated");
  const account = got(await portal.answerActivation({ path: { number }, body: { use: true } }));
  if (!account.active) throw new Error(JSON.stringify(account));

  const page: EntryPage = got(await portal.listEntries({ path: { number } }));
  const entry: LedgerEntry | undefined = page.items.find((item) => item.action_id !== undefined);
  if (!entry?.action_id) throw new Error(`no entry of an action: ${JSON.stringify(page)}`);
  const detail = got(await portal.readAction({ path: { number, action_id: entry.action_id } }));
  if (detail.entries.length === 0) throw new Error(JSON.stringify(detail));
  const contributions = got(await portal.listContributions({ path: { number } }));
  const contributed: number[] = contributions.items.map((item) => item.contributed);
  if (contributed.length === 0) throw new Error(JSON.stringify(contributions));
  const file = got(await portal.exportLedgerAsXlsx({ path: { number }, query: { view: page.view } }));
  if ((await file.slice(0, 2).text()) !== "PK") throw new Error("no zip archive");
}

journey().catch((error: unknown) => {
  throw error;
});
