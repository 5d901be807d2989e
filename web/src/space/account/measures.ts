// The measures of an account, which are never added to each other, and the months in which they moved.

import type { Schema } from "../../lib/api.ts";
import { monthInShort, monthInWords } from "../../lib/format.ts";

type Month = Schema<"MonthTotals">;
type Totals = Schema<"Totals">;

export interface Measure {
  readonly name: string;
  readonly title: string;
  ofMonth(month: Month): number;
  ofTotals(totals: Totals): number;
}

export const MEASURES: readonly Measure[] = [
  { name: "committed", title: "Engagé", ofMonth: (month) => month.committed, ofTotals: (totals) => totals.committed },
  {
    name: "paid-to-company",
    title: "Réglé à l’entreprise",
    ofMonth: (month) => month.paid_to_company,
    ofTotals: (totals) => totals.paid_to_company,
  },
  {
    name: "paid-to-providers",
    title: "Réglé aux organismes",
    ofMonth: (month) => month.paid_to_providers,
    ofTotals: (totals) => totals.paid_to_providers,
  },
  { name: "contributed", title: "Cotisations versées", ofMonth: (month) => month.contributed, ofTotals: (totals) => totals.contributed },
];

/** A column of a chart by month: one month of a view's year or of the year behind it, or all before or after those. */
export interface Column {
  /** Its name on the axis, and in words, where it is of this view. */
  name(view: number): { short: string; long: string };
  /** What a measure of this view's months comes to in it. */
  sum(view: View, measure: Measure): number;
}

type View = Pick<Schema<"ViewSummary">, "view" | "by_month">;

/** The months of a view's year and of the one behind it, in which most of what belongs to the view is paid. */
const LAST = 23;

/**
 * The columns of views side by side: the twelve months of their years, those of the years behind up to the last in which something
 * moved, and one each for what moved before and after.
 */
export function columnsOf(views: readonly View[]): Column[] {
  const offsets = views.flatMap(({ view, by_month: months }) => months.map(({ month }) => offsetOf(month, view)));
  if (offsets.length === 0) return [];
  const last = Math.max(11, ...offsets.filter((offset) => offset <= LAST));
  const months = Array.from({ length: last + 1 }, (_, offset) => column((view) => nameOf(view, offset), (of) => of === offset));
  const before = column((view) => ({ short: "avant", long: `avant ${view}` }), (of) => of < 0);
  const after = column((view) => ({ short: "après", long: `après ${view + 1}` }), (of) => of > LAST);
  return [
    ...(offsets.some((offset) => offset < 0) ? [before] : []),
    ...months,
    ...(offsets.some((offset) => offset > LAST) ? [after] : []),
  ];
}

function column(name: Column["name"], has: (offset: number) => boolean): Column {
  return {
    name,
    sum: ({ view, by_month: months }, measure) =>
      months.filter(({ month }) => has(offsetOf(month, view))).reduce((sum, month) => sum + measure.ofMonth(month), 0),
  };
}

function nameOf(view: number, offset: number): { short: string; long: string } {
  const month = `${view + Math.floor(offset / 12)}-${String((offset % 12) + 1).padStart(2, "0")}`;
  return { short: monthInShort(month), long: monthInWords(month) };
}

function offsetOf(month: string, view: number): number {
  return (Number(month.slice(0, 4)) - view) * 12 + Number(month.slice(5, 7)) - 1;
}
