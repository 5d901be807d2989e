import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, counted, day, euros, moment, monthInWords } from "./format.ts";

test("amounts have their groups, their comma, a true minus and a unit that stays with them", () => {
  assert.equal(euros(123456), "1\u202f234,56\u00a0€");
  assert.equal(euros(-5), "\u22120,05\u00a0€");
  assert.equal(euros(0), "0,00\u00a0€");
  assert.equal(amount(1_000_000_000_000), "10\u202f000\u202f000\u202f000,00");
});

test("no cent is lost up to the largest sum that a number carries", () => {
  assert.equal(amount(4_503_599_627_370_495), "45\u202f035\u202f996\u202f273\u202f704,95");
});

test("one and none are singular in French", () => {
  assert.equal(counted(0, "action"), "0\u00a0action");
  assert.equal(counted(1, "action"), "1\u00a0action");
  assert.equal(counted(1200, "action"), "1\u202f200\u00a0actions");
  assert.equal(counted(2, "avis de virement", "avis de virement"), "2\u00a0avis de virement");
});

test("days keep their date, instants take that of Paris", () => {
  assert.equal(day("2012-02-10"), "10/02/2012");
  assert.equal(moment("2012-12-31T23:30:00Z"), "01/01/2013 à 00:30");
  assert.equal(monthInWords("2012-08"), "août 2012");
});
