// An account that is looked at: its name, its summary, the year that is shown.

import type { Answer, Schema } from "../../lib/api.ts";
import { callSignedIn } from "../../lib/session.ts";
import { Loaded } from "../loading.svelte.ts";
import { addressWith } from "../addresses.ts";
import { router } from "../router.svelte.ts";

export type Summary = Answer<"/api/accounts/{number}/summary", "GET">;
export type ViewSummary = Schema<"ViewSummary">;

/** What all views of an account show. */
export class AccountState {
  readonly number: string;
  /** Its line in the list of one's accounts; null where one has no such account. */
  readonly account: Loaded<Schema<"Account"> | null>;
  readonly summary: Loaded<Summary>;

  constructor(number: string) {
    this.number = number;
    this.account = new Loaded(async () => {
      const { accounts } = await callSignedIn("GET", "/api/accounts", { query: { q: number } });
      return accounts.find(({ member_number: own }) => own === number) ?? null;
    });
    this.summary = new Loaded(() => callSignedIn("GET", "/api/accounts/{number}/summary", { path: { number } }));
  }

  /** The years that have figures, latest first. */
  get years(): number[] {
    return (this.summary.value?.views ?? []).map(({ view }) => view).reverse();
  }
}

let current: AccountState | null = null;

/** Forgets the account that was looked at: whoever is here now may have none. */
export function forgetAccount(): void {
  current = null;
}

/** The account of this number, as it is known by now. */
export function accountOf(number: string): AccountState {
  if (current?.number !== number) current = new AccountState(number);
  return current;
}

/** The account of this number, asked for anew. */
export function freshAccountOf(number: string): AccountState {
  if (current?.number === number) {
    void current.summary.load();
    void current.account.load();
  }
  return accountOf(number);
}

/** The year that the address names. */
export function yearAsked(): number | undefined {
  const text = router.place.query.get("annee") ?? "";
  return /^\d{4}$/.test(text) ? Number(text) : undefined;
}

/** The address of a view of an account, of the year that is shown. */
export function addressIn(number: string, rest = "", query: Record<string, string | undefined> = {}): string {
  const path = `/compte/${encodeURIComponent(number)}${rest}`;
  const annee = yearAsked();
  return addressWith(path, { ...(annee ? { annee: String(annee) } : {}), ...query });
}

/** The address of an action of an account. */
export function addressOfAction(number: string, actionId: string): string {
  return addressIn(number, `/actions/${encodeURIComponent(actionId)}`);
}

/** The address of a transfer of an account; its number alone may be that of another system's, too. */
export function addressOfTransfer(number: string, transferNumber: string, source: string): string {
  return addressIn(number, `/virements/${encodeURIComponent(transferNumber)}`, { source });
}
