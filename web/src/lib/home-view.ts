// What the answer of GET /api/home looks like on the page.

import type { Schema } from "./api.ts";
import { documentToRead } from "./documents.ts";
import { element } from "./dom.ts";
import { legalText } from "./legal-text.ts";

const DOCUMENTS = {
  charter: "La charte est à lire et à accepter avant d’ouvrir le compte adhérent.",
  terms: "Les conditions générales d’utilisation ont changé\u00a0: elles sont à lire et à accepter.",
  "account-terms": "Les conditions générales du compte adhérent sont à lire et à accepter.",
};

const dateFormat = new Intl.DateTimeFormat("fr-FR", {
  day: "2-digit",
  month: "2-digit",
  year: "numeric",
  timeZone: "Europe/Paris",
});

/** A link, or its words alone where the address is none that a page may lead to. */
function link(text: string, address: string): HTMLElement | string {
  const made = element("a", text);
  made.href = address;
  return ["https:", location.protocol].includes(made.protocol) ? made : text;
}

/** Why the user is not mailed any more. */
const EMAIL_PROBLEMS = {
  bounced: "Nos e-mails à votre adresse nous reviennent\u00a0: nous ne vous en envoyons plus. Faites corriger votre adresse.",
  complained:
    "Un de nos e-mails a été signalé comme indésirable depuis votre adresse\u00a0: nous ne vous envoyons plus que ceux " +
    "qui protègent votre espace et votre compte. Si c’est une erreur, dites-le à Constructys.",
};

/** The text that a table has under a word; what a later portal says besides is none of this page's. */
function known(table: Record<string, string>, word: string | undefined): string | undefined {
  return word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** The list items of what the user can or must do now. */
export function nextSteps(home: Schema<"Home">): HTMLElement[] {
  const steps: HTMLElement[] = [];
  const problem = known(EMAIL_PROBLEMS, home.email_problem);
  if (problem) steps.push(element("li", problem));
  for (const kind of home.pending_documents) {
    const text = known(DOCUMENTS, kind);
    if (text) steps.push(element("li", text, documentToRead(kind)));
  }
  if (home.can_claim) {
    steps.push(
      element(
        "li",
        "Votre établissement n’a pas encore de gestionnaire. Pour le devenir, munissez-vous du numéro adhérent\u00a0: " +
          "six chiffres, sur vos avis de virement. ",
        link("Devenir gestionnaire", "/gestionnaire"),
      ),
    );
  }
  if (home.manager) steps.push(element("li", managerSentence(home.manager)));
  steps.push(element("li", link("Portail\u00a0: mode d’emploi", home.help_url)));
  return steps;
}

/** Whose space it is. */
export function establishmentSentence({ name, siret }: Schema<"Establishment">): string {
  return name ? `Établissement\u00a0: ${name} (SIRET ${siret})` : `Établissement\u00a0: SIRET ${siret}`;
}

export function managerSentence(manager: Schema<"UnnamedManager"> | Schema<"NamedManager">): string {
  if (!manager.named) return "Votre établissement a déjà un gestionnaire.";
  const civility = manager.civility === "mme" ? "Mme" : "M.";
  return `Gestionnaire de votre établissement\u00a0: ${civility} ${manager.last_name}.`;
}

/** Why an application is closed. */
const REASONS = {
  "charter-required": "ouvert dès que vous aurez accepté la charte",
  "no-account": "ouvert dès que vous serez gestionnaire, ou que votre gestionnaire vous aura donné accès",
  "not-activated": "son gestionnaire n’a pas encore choisi de l’utiliser",
};

export function applicationItems(applications: Schema<"Application">[]): HTMLElement[] {
  return applications.map(({ title, url, available, reason }) =>
    available
      ? element("li", link(title, url))
      : element("li", `${title}\u00a0: ${known(REASONS, reason) ?? "pas encore disponible"}`),
  );
}

/** Their Markdown becomes elements; nothing in it is ever read as HTML. */
export function newsItems(news: Schema<"NewsItem">[]): HTMLElement[] {
  return news.map(({ title, body, published_at: publishedAt }) => {
    const date = element("time", dateFormat.format(new Date(publishedAt)));
    date.dateTime = publishedAt;
    return element("article", element("h3", title), element("p", date), ...legalText(body));
  });
}
