import assert from "node:assert/strict";
import { test } from "node:test";
import { monthsOf } from "./measures.ts";

const month = (name: string) => ({ month: name, committed: 1, paid: 0, paid_to_company: 0, paid_to_providers: 0, contributed: 0 });

test("the months of a year are its twelve, and those beside them that moved", () => {
  const months = monthsOf([{ view: 2012, by_month: [month("2012-03"), month("2013-02")] }]).map((offset) => offset.of(2012));
  assert.equal(months.length, 14);
  assert.deepEqual([months[0], months[13]], ["2012-01", "2013-02"]);
});

test("two years stand side by side month by month", () => {
  const views = [
    { view: 2012, by_month: [month("2012-03")] },
    { view: 2011, by_month: [month("2010-12")] },
  ];
  const months = monthsOf(views);
  assert.deepEqual([months[0]?.of(2011), months[0]?.of(2012)], ["2010-12", "2011-12"]);
  assert.equal(months.length, 13);
});

test("a year in which nothing moved has no months", () => {
  assert.deepEqual(monthsOf([{ view: 2012, by_month: [] }]), []);
});
