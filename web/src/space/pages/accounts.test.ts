import assert from "node:assert/strict";
import { test } from "node:test";
import type { Schema } from "../../lib/api.ts";
import { matches, sorted } from "./accounts.ts";

function account(name: string, number: string, committed?: number): Schema<"Account"> {
  const totals = { paid: 0, paid_to_company: 0, paid_to_providers: 0, in_progress: 0, remaining: 0, overpaid: 0, recovered: 0, contributed: 0 };
  const figures = committed === undefined ? {} : { figures: { as_of: "2012-10-15T02:03:11Z", postings: 1, views: [2012], totals: { ...totals, committed } } };
  return { member_number: number, siret: "53384615000019", name, role: "reader", active: true, ...figures };
}

test("an account is found by three letters, whatever their case and accents, and by any part of its SIRET", () => {
  const masonry = account("Maçonnerie D’AVRIL & Fils", "012345");
  for (const search of ["maç", "MAC", "avr fil", "5338 46", "846150", "00019", "0123", ""]) assert.ok(matches(masonry, search), search);
  for (const search of ["charpente", "999", "mac bois"]) assert.ok(!matches(masonry, search), search);
});

test("what has no figure comes last in both directions, and equals go by name", () => {
  const all = [account("C", "1", 5), account("A", "2"), account("B", "3", 5), account("D", "4", 9)];
  const names = (order: string) => sorted(all, order).map(({ name }) => name).join("");
  assert.equal(names("engage"), "BCDA");
  assert.equal(names("-engage"), "DBCA");
  assert.equal(names("nom"), "ABCD");
  assert.equal(names("-nom"), "DCBA");
  assert.equal(names("toString"), "ABCD");
});
