// People as pages name them.

import type { Schema } from "./api.ts";

const CIVILITIES: Record<Schema<"Civility">, string> = { mme: "Mme", m: "M." };

/** « Mme MARTIN ». */
export function formalName({ civility, last_name: name }: { civility: Schema<"Civility">; last_name: string }): string {
  return `${CIVILITIES[civility]}\u00a0${name}`;
}

/** A user of an account by name, or by address where that is all that is known of them. */
export function userName({ civility, last_name: last, first_name: first, email }: Schema<"AccountUser">): string {
  return civility && last ? `${CIVILITIES[civility]}\u00a0${first ? `${first} ` : ""}${last}` : email;
}
