import assert from "node:assert/strict";
import { test } from "node:test";
import { KINDS, SCHEMES, STATUSES } from "../../lib/words.ts";
import { dayAsked, kindAsked, orderAsked, orderOf, schemeAsked, slugOf, statusAsked } from "./listing.ts";

const query = (text: string) => new URLSearchParams(text);

test("words of addresses are lower case and without accents", () => {
  assert.equal(slugOf("réglé partiellement"), "regle-partiellement");
  assert.equal(slugOf("Règlement à l’organisme de formation"), "reglement-a-l-organisme-de-formation");
});

test("each state, scheme and kind has an address of its own, and comes back from it", () => {
  for (const [code, word] of Object.entries(STATUSES)) assert.equal(statusAsked(query(`etat=${slugOf(word)}`)), code);
  for (const [code, word] of Object.entries(SCHEMES)) assert.equal(schemeAsked(query(`dispositif=${slugOf(word)}`)), code);
  for (const [code, word] of Object.entries(KINDS)) assert.equal(kindAsked(query(`type=${slugOf(word)}`)), code);
});

test("what an address cannot mean asks for nothing", () => {
  assert.equal(statusAsked(query("etat=toString")), undefined);
  assert.equal(dayAsked(query("du=10/02/2012"), "du"), undefined);
  assert.deepEqual(orderAsked(query("tri=constructor")), { column: "date", isFalling: true });
});

test("an order is that of the API", () => {
  assert.equal(orderOf(orderAsked(query("tri=-encours"))), "-in_progress");
  assert.equal(orderOf(orderAsked(query("tri=intitule"))), "title");
  assert.equal(orderOf(orderAsked(query(""))), "-engagement_date");
});
