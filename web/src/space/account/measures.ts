// The measures of an account, which are never added to each other, and the months in which they moved.

import type { Schema } from "../../lib/api.ts";

type Month = Schema<"MonthTotals">;
type Totals = Schema<"Totals">;

interface Measure {
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

/** A month by its distance from the January of a view's year. */
export interface MonthOffset {
  /** The month of the contract that it is of this view. */
  of(view: number): string;
}

/** The months from the first in which one of these views moved to the last, the twelve of the year at least. */
export function monthsOf(views: readonly Pick<Schema<"ViewSummary">, "view" | "by_month">[]): MonthOffset[] {
  const offsets = views.flatMap(({ view, by_month: months }) => months.map(({ month }) => offsetOf(month, view)));
  if (offsets.length === 0) return [];
  const first = Math.min(0, ...offsets);
  const last = Math.max(11, ...offsets);
  return Array.from({ length: last - first + 1 }, (_, place) => ({
    of: (view) => {
      const months = view * 12 + first + place;
      return `${Math.floor(months / 12)}-${String((months % 12) + 1).padStart(2, "0")}`;
    },
  }));
}

function offsetOf(month: string, view: number): number {
  return (Number(month.slice(0, 4)) - view) * 12 + Number(month.slice(5, 7)) - 1;
}
