// What the lists of an account have in common: the words of their addresses, and what these ask the API for.

import type { Schema } from "../../lib/api.ts";
import { KINDS, SCHEMES, STATUSES } from "../../lib/words.ts";

/** How many rows a part of a list has. */
export const PART = 50;

/** A word as it stands in an address: lower case, without accents. */
export function slugOf(label: string): string {
  return label
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/** The code of a word in an address; none where these words have no such one. */
function codeOf<Code extends string>(words: Record<Code, string>, slug: string | null): Code | undefined {
  return (Object.keys(words) as Code[]).find((code) => slugOf(words[code]) === slug);
}

export const statusAsked = (query: URLSearchParams): Schema<"ActionStatus"> | undefined => codeOf(STATUSES, query.get("etat"));
export const schemeAsked = (query: URLSearchParams): Schema<"Scheme"> | undefined => codeOf(SCHEMES, query.get("dispositif"));
export const kindAsked = (query: URLSearchParams): Schema<"EntryKind"> | undefined => codeOf(KINDS, query.get("type"));

/** A day of an address, `2012-02-10`; none where it is not one. */
export function dayAsked(query: URLSearchParams, name: string): string | undefined {
  const text = query.get(name) ?? "";
  return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
}

/** The columns by which actions are sorted, by their words in an address. */
export const ACTION_ORDERS = {
  date: "engagement_date",
  numero: "action_id",
  intitule: "title",
  etat: "status",
  engage: "committed",
  regle: "paid",
  encours: "in_progress",
  reste: "remaining",
} as const;

export type ActionColumn = keyof typeof ACTION_ORDERS;

/** The order that an address asks for; the latest engagement first where it names none. */
export function orderAsked(query: URLSearchParams): { column: ActionColumn; isFalling: boolean } {
  const text = query.get("tri") ?? "";
  const column = text.replace(/^-/, "");
  if (!Object.hasOwn(ACTION_ORDERS, column)) return { column: "date", isFalling: true };
  return { column: column as ActionColumn, isFalling: text.startsWith("-") };
}

/** An order as the API has it. */
export function orderOf({ column, isFalling }: { column: ActionColumn; isFalling: boolean }): Schema<"ActionOrder"> {
  return `${isFalling ? "-" : ""}${ACTION_ORDERS[column]}`;
}

/** What stands in a field of a form; nothing where it is blank. */
export function textIn(form: HTMLFormElement, name: string): string | undefined {
  const value = new FormData(form).get(name);
  return typeof value === "string" && value.trim() ? value.trim() : undefined;
}
