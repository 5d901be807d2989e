import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf, MEASURES } from "./measures.ts";

const [COMMITTED] = MEASURES;
assert.ok(COMMITTED);
const month = (name: string, committed = 1) => ({ month: name, committed, paid: 0, paid_to_company: 0, paid_to_providers: 0, contributed: 0 });
const namesOf = (view: number, columns: ReturnType<typeof columnsOf>) => columns.map((column) => column.name(view).long);

test("a year has its twelve months, and those behind it that moved", () => {
  const view = { view: 2012, by_month: [month("2012-03", 5), month("2013-02", 7)] };
  const columns = columnsOf([view]);
  assert.equal(columns.length, 14);
  assert.deepEqual([namesOf(2012, columns)[0], namesOf(2012, columns)[13]], ["janvier 2012", "février 2013"]);
  assert.deepEqual(columns.map((column) => column.sum(view, COMMITTED)).filter(Boolean), [5, 7]);
});

test("what moved before the year, or long after it, is one column each, so that nothing is left out", () => {
  const view = { view: 2012, by_month: [month("2009-05", 1), month("2011-12", 2), month("2014-01", 4), month("2016-01", 8)] };
  const columns = columnsOf([view]);
  assert.equal(namesOf(2012, columns)[0], "avant 2012");
  assert.equal(namesOf(2012, columns).at(-1), "après 2013");
  assert.deepEqual([columns[0]?.sum(view, COMMITTED), columns.at(-1)?.sum(view, COMMITTED)], [3, 12]);
});

test("two years stand side by side month by month", () => {
  const [first, second] = [
    { view: 2012, by_month: [month("2012-03", 3)] },
    { view: 2011, by_month: [month("2011-03", 4)] },
  ];
  const march = columnsOf([first, second])[2];
  assert.deepEqual([march?.name(2012).long, march?.name(2011).long], ["mars 2012", "mars 2011"]);
  assert.deepEqual([march?.sum(first, COMMITTED), march?.sum(second, COMMITTED)], [3, 4]);
});

test("a year in which nothing moved has no columns", () => {
  assert.deepEqual(columnsOf([{ view: 2012, by_month: [] }]), []);
});
