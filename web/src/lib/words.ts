// The French of the ledger's words, as mails, files and the statement have it. A test holds these against the labels of the
// portal's library.

import type { Schema } from "./api.ts";

export const SCHEMES: Record<Schema<"Scheme">, string> = {
  PDC: "Plan de développement des compétences",
  APPRENTICESHIP: "Apprentissage",
  PROFESSIONALISATION: "Contrat de professionnalisation",
  PRO_A: "Pro-A",
  CPF: "CPF",
  VAE: "VAE",
  ASSESSMENT: "Bilan de compétences",
  POE: "POE",
  PLAN: "Plan de formation",
  DIF: "DIF",
};

/** In the order in which an action comes through them. */
export const STATUSES: Record<Schema<"ActionStatus">, string> = {
  SUBMITTED: "déposé",
  INCOMPLETE: "incomplet",
  UNDER_REVIEW: "en instruction",
  COMMITTED: "engagé",
  REFUSED: "refusé",
  DELIVERED: "réalisé",
  INVOICED: "facturé",
  PAYMENT_IN_PROGRESS: "en paiement",
  PARTLY_PAID: "réglé partiellement",
  PAID: "réglé",
  CLOSED: "soldé",
  CANCELLED: "annulé",
};

export const KINDS: Record<Schema<"EntryKind">, string> = {
  COMMITMENT: "Engagement",
  COMMITMENT_REVISION: "Révision d’engagement",
  COMMITMENT_CANCELLATION: "Annulation d’engagement",
  INVOICE_RECEIVED: "Facture reçue",
  INVOICE_REJECTED: "Facture rejetée",
  PAYMENT_TO_COMPANY: "Règlement à l’entreprise",
  PAYMENT_TO_PROVIDER: "Règlement à l’organisme de formation",
  PAYMENT_RETURNED: "Règlement retourné",
  RECOVERY: "Reprise",
  CONTRIBUTION_LEGAL: "Contribution légale",
  CONTRIBUTION_AGREEMENT: "Contribution conventionnelle",
  CONTRIBUTION_VOLUNTARY: "Versement volontaire",
  CONTRIBUTION_REFUND: "Remboursement de contribution",
  REVERSAL: "Contre-passation",
};

export const COSTS: Record<Schema<"CostKind">, string> = {
  TUITION: "Coût pédagogique",
  WAGES: "Rémunération",
  EXPENSES: "Frais annexes",
};

export const PAYEES: Record<Schema<"Payee">, string> = {
  COMPANY: "Entreprise",
  PROVIDER: "Organisme de formation",
};

/** A word of the contract that these pages do not know yet is shown as it came. */
export function wordOf(words: Record<string, string>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code;
}
