// To whom transfers went.

import type { Schema } from "../../lib/api.ts";

export const SIDES: Record<Schema<"TransferPayee">, string> = {
  COMPANY: "l’entreprise",
  PROVIDER: "l’organisme de formation",
  BOTH: "l’entreprise et l’organisme",
};
