// Whose space it is, and whose account, in sentences.

import type { Schema } from "./api.ts";

/** Whose space it is. */
export function establishmentSentence({ name, siret }: Schema<"Establishment">): string {
  return name ? `Établissement\u00a0: ${name} (SIRET ${siret})` : `Établissement\u00a0: SIRET ${siret}`;
}

export function managerSentence(manager: Schema<"UnnamedManager"> | Schema<"NamedManager">): string {
  if (!manager.named) return "Votre établissement a déjà un gestionnaire.";
  const civility = manager.civility === "mme" ? "Mme" : "M.";
  return `Gestionnaire de votre établissement\u00a0: ${civility} ${manager.last_name}.`;
}
