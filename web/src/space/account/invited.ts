// Inviting several addresses at once: what was typed, and what became of each.

import type { Schema } from "../../lib/api.ts";
import { dayOf } from "../../lib/format.ts";

type User = Schema<"AccountUser">;

/** How many addresses the portal takes at once. */
export const MOST_ADDRESSES = 20;

/** The addresses that were typed, one a line or with commas or semicolons between them, as one copies them from a mail. */
export function addressesIn(text: string): string[] {
  return text
    .split(/[\n,;]+/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** What is wrong with addresses, by the place of each (`emails.3`), in a sentence that names it. */
export function wrongAddresses(
  addresses: readonly string[],
  errors: readonly { field: string; message: string }[],
): { field: string; code: string; message: string }[] {
  return errors.map(({ field, message }) => {
    const place = /^emails\.(\d+)$/.exec(field)?.[1];
    const address = place === undefined ? undefined : addresses[Number(place)];
    return { field: "emails", code: "wrong", message: address === undefined ? message : `«\u00a0${address}\u00a0»\u00a0: ${message}` };
  });
}

/** What became of an address: by what the list of users says of it before, and after. */
export function resultOf(address: string, before: readonly User[], after: readonly User[]): string {
  const written = address.toLowerCase();
  const was = before.find(({ email }) => email === written);
  const is = after.find(({ email }) => email === written);
  if (was?.status === "active") return "avait déjà accès\u00a0: rien ne change.";
  if (was?.status === "requested") return "avait demandé l’accès\u00a0: c’est fait, un e-mail l’en informe.";
  const until = is?.expires_at ? `, à ouvrir avant le ${dayOf(is.expires_at)}` : "";
  const again = was?.status === "invited" || was?.status === "expired";
  return `${again ? "invitation renouvelée" : "invitation envoyée"}${until}.`;
}
