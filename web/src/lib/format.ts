// Amounts, days and instants as a French reader writes them.

/** Groups of digits are parted by U+202F, the unit by U+00A0, and a minus is a minus (U+2212) rather than a hyphen. */
const EUROS = new Intl.NumberFormat("fr-FR", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const COUNT = new Intl.NumberFormat("fr-FR");
const PARIS = "Europe/Paris";
const DAY = new Intl.DateTimeFormat("fr-FR", { day: "2-digit", month: "2-digit", year: "numeric", timeZone: PARIS });
const TIME = new Intl.DateTimeFormat("fr-FR", { hour: "2-digit", minute: "2-digit", timeZone: PARIS });
const SHORT_MONTH = new Intl.DateTimeFormat("fr-FR", { month: "short", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("fr-FR", { month: "long", timeZone: "UTC" });

/** An amount: « 1 234,56 € ». */
export function euros(cents: number): string {
  return `${amount(cents)}\u00a0€`;
}

/** An amount without its unit, for a column whose heading says it. */
export function amount(cents: number): string {
  return EUROS.format(cents / 100).replace("-", "\u2212");
}

/** A whole number: « 1 234 ». */
export function count(number: number): string {
  return COUNT.format(number);
}

/** So many of a thing: « 1 action », « 2 actions »; the plural is the noun with an s where none is given. */
export function counted(number: number, noun: string, plural = `${noun}s`): string {
  return `${count(number)}\u00a0${Math.abs(number) < 2 ? noun : plural}`;
}

/** A day of the contract, `2012-02-10`, as « 10/02/2012 ». */
export function day(iso: string): string {
  const [year, month, date] = iso.split("-");
  return `${date ?? ""}/${month ?? ""}/${year ?? ""}`;
}

/** The day of an instant, in Paris. */
export function dayOf(instant: string): string {
  return DAY.format(new Date(instant));
}

/** An instant, in Paris: « 10/02/2012 à 23:04 ». */
export function moment(instant: string): string {
  return `${dayOf(instant)} à ${TIME.format(new Date(instant))}`;
}

/** A month of the contract, `2012-02`, in words: « février 2012 ». */
export function monthInWords(month: string): string {
  return `${MONTH.format(firstOf(month))} ${month.slice(0, 4)}`;
}

/** The name of a month of the contract, in short: « févr. ». */
export function monthInShort(month: string): string {
  return SHORT_MONTH.format(firstOf(month));
}

function firstOf(month: string): Date {
  return new Date(`${month}-01T00:00:00Z`);
}
