// SIRETs as they are read.

/** A SIRET in groups; the spaces between them do not break, and copy as spaces that every form of the portal takes. */
export function groupSiret(siret: string): string {
  return siret.replace(/^(\d{3})(\d{3})(\d{3})/, "$1\u00a0$2\u00a0$3\u00a0");
}
