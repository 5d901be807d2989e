// Finding one of many accounts: they are all there, so neither a search nor an order asks the API again.

import type { Schema } from "../../lib/api.ts";

type Account = Schema<"Account">;

/** The columns by which accounts are sorted, as an address names them. */
export type Column = "nom" | "mouvement" | "engage" | "regle" | "encours" | "reste";

/** Without case, accents and signs. */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();
}

/** Whether name or number have each word of a search, or a part of it; digits may be any part of the SIRET, in groups or not. */
export function matches({ name, siret, member_number: number }: Account, search: string): boolean {
  const text = `${plain(name)} ${number} ${siret}`;
  const digits = search.replace(/\s/g, "");
  if (/^\d{2,}$/.test(digits) && (siret.includes(digits) || number.includes(digits))) return true;
  return plain(search)
    .split(" ")
    .every((word) => text.includes(word));
}

const FIGURES: Record<Exclude<Column, "nom">, (account: Account) => number | string | undefined> = {
  mouvement: ({ figures }) => figures?.last_movement_on,
  engage: ({ figures }) => figures?.totals.committed,
  regle: ({ figures }) => figures?.totals.paid,
  encours: ({ figures }) => figures?.totals.in_progress,
  reste: ({ figures }) => figures?.totals.remaining,
};

const byName = new Intl.Collator("fr", { numeric: true });

/** Accounts in an order, `engage` or `-engage`: those without the figure come last either way. An order of nothing is by name. */
export function sorted(accounts: readonly Account[], order: string): Account[] {
  const column = order.replace(/^-/, "");
  const sign = order.startsWith("-") ? -1 : 1;
  const names = (one: Account, other: Account): number => byName.compare(one.name, other.name);
  if (!Object.hasOwn(FIGURES, column)) return accounts.toSorted((one, other) => sign * names(one, other));
  const figure = FIGURES[column as keyof typeof FIGURES];
  return accounts.toSorted((one, other) => {
    const [left, right] = [figure(one), figure(other)];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined) || names(one, other);
    return left === right ? names(one, other) : sign * (left < right ? -1 : 1);
  });
}
