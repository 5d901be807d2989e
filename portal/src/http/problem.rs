//! Problem documents (RFC 9457): every way in which the portal says no, in one table.
//!
//! The slug is part of the contract: one cause, one slug. `docs/problems.md` explains each, and a test
//! holds the two lists against each other.

use std::error::Error;
use std::time::Duration;

use lambda_http::http::StatusCode;
use serde_json::{Value, json};

use super::Language;
use crate::domain::{Civility, PersonName, Refusal};
use crate::log::with_sources;
use crate::store::StoreError;

/// One refused field of a body or a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field, as a path such as `terms.version`.
    pub field: String,
    /// What is wrong with it.
    pub refusal: Refusal,
}

impl FieldError {
    /// The code of a field of a body that the route does not know.
    pub const UNKNOWN_FIELD: &str = "unknown-field";
    /// The code of a query parameter that the route does not know.
    pub const UNKNOWN_PARAMETER: &str = "unknown-parameter";

    /// Whether nobody knows the field: its name is the caller's, and may be anything.
    fn is_unknown(&self) -> bool {
        [Self::UNKNOWN_FIELD, Self::UNKNOWN_PARAMETER].contains(&self.refusal.code)
    }
}

/// Everything that a call can be answered instead of success.
#[derive(Debug)]
pub enum Problem {
    /// The body is not JSON, or not an object.
    MalformedRequest,
    /// The cursor was not made for this user, account and filter.
    BadCursor,
    /// No valid access token.
    AuthenticationRequired,
    /// Unknown address, wrong password or account not activated: one answer.
    BadCredentials,
    /// The password that a signed-in caller was asked for is wrong.
    BadCurrentPassword,
    /// The current charter is not accepted.
    CharterRequired,
    /// The caller is not the account's manager.
    ManagerOnly,
    /// Does not exist, or is not the caller's to see.
    NotFound,
    /// Not the member number of the caller's establishment: one answer for every reason.
    ClaimRefused,
    /// Not the current version of a legal document, or not its hash.
    DocumentOutdated,
    /// The establishment has a manager already.
    AlreadyManaged {
        /// The manager, named to whoever entered the right number.
        civility: Civility,
        /// The manager's last name.
        last_name: PersonName,
    },
    /// The establishment has no manager whom one could ask.
    NoManager,
    /// The manager's claim is contested: nobody gets access, and the role stays where it is.
    ClaimContested,
    /// The staff took the account's role from the caller once.
    ClaimBarred,
    /// The manager has not said OUI.
    AccountNotActivated,
    /// A file that is larger than an answer may be.
    ExportTooLarge,
    /// A statement that is longer or larger than an answer may be.
    StatementTooLarge,
    /// Something that is read whole, and is larger than an answer may be.
    AnswerTooLarge,
    /// The caller manages an account that a colleague can read.
    ManagerMustHandOver,
    /// A mailed link that is used, expired, replaced, malformed or foreign: one answer for each kind of link.
    LinkInvalid(MailedLink),
    /// The body is above 64 KiB.
    BodyTooLarge,
    /// The body is not said to be JSON.
    UnsupportedMediaType,
    /// The request came round what stands in front of the portal.
    MisdirectedRequest,
    /// Fields that cannot be accepted, all of them.
    InvalidInput(Vec<FieldError>),
    /// An `Idempotency-Key` that came with another body before.
    IdempotencyKeyReused,
    /// The request that an `Idempotency-Key` came with first is not done yet.
    RequestInFlight,
    /// A limit on guessing is reached.
    TooManyAttempts {
        /// Seconds until it is worth trying again.
        retry_after: u32,
    },
    /// A passing fault of what the portal stands on; nothing happened, or it is safe to repeat.
    TryAgain {
        /// For the log.
        context: String,
    },
    /// A defect of the portal.
    Internal {
        /// For the log.
        context: String,
    },
}

/// What a mailed link is for, and so what is true of one that does nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailedLink {
    /// It opens a space, or sets another password.
    Password,
    /// It confirms or undoes a change of address.
    Address,
    /// It contests a manager's claim.
    Contest,
    /// It lets a claim through although too many failed.
    ClaimPass,
}

impl MailedLink {
    /// What to do where it does nothing, in French and in English.
    fn detail(self) -> [&'static str; 2] {
        match self {
            Self::Password => [
                "Ce lien a servi, a expiré, a été remplacé ou est incomplet. Si vous venez de créer votre mot de passe, connectez-vous ; sinon, demandez un nouveau lien.",
                "This link was used, has expired, was replaced or is incomplete. If you have just created your password, sign in; else ask for a new link.",
            ],
            Self::Address => [
                "Ce lien a servi, a expiré, est incomplet, ou concerne un changement d’adresse qui n’est plus en cours. Connectez-vous : votre profil montre l’adresse en vigueur, et vous pouvez y redemander le changement.",
                "This link was used, has expired, is incomplete, or is about a change of address that is not under way any more. Sign in: your profile shows the address in force, and you can ask for the change again there.",
            ],
            Self::Contest => [
                "Ce lien a servi, a expiré ou est incomplet, ou il n’y a plus rien à contester : Constructys a déjà vérifié, ou vous n’appartenez plus à cet établissement. En cas de doute, écrivez à Constructys.",
                "This link was used, has expired or is incomplete, or there is nothing left to contest: the fund has checked already, or you do not belong to this establishment any more. In doubt, write to Constructys.",
            ],
            Self::ClaimPass => [
                "Ce lien a servi, a expiré ou est incomplet, ou il concerne un autre établissement que celui de votre profil. Sans lui, votre demande est entendue 24 heures après le premier essai.",
                "This link was used, has expired or is incomplete, or is about another establishment than your profile's. Without it your claim is heard 24 hours after the first try.",
            ],
        }
    }
}

/// What a problem is called: slug, status, title in French and English, what to do in French and English.
struct Text {
    slug: &'static str,
    status: StatusCode,
    title: [&'static str; 2],
    detail: [&'static str; 2],
}

impl Problem {
    /// A defect, with what the log needs to know.
    pub fn internal(what: &str, error: &dyn Error) -> Self {
        Self::Internal { context: with_sources(what, error) }
    }

    /// A limit on guessing is reached, and what is left of the pause.
    #[must_use]
    pub fn closed_for(left: Duration) -> Self {
        // Rounded up: whoever waits as long as they are told is heard.
        Self::TooManyAttempts { retry_after: u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX) }
    }

    /// A single refused field.
    #[must_use]
    pub fn field(field: &str, refusal: Refusal) -> Self {
        Self::InvalidInput(vec![FieldError { field: field.to_owned(), refusal }])
    }

    /// The last part of `type`.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        self.text().slug
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.text().status
    }

    /// Seconds for `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(*retry_after),
            Self::TryAgain { .. } | Self::RequestInFlight => Some(1),
            _ => None,
        }
    }

    /// What only the log may know.
    #[must_use]
    pub fn log_context(&self) -> Option<String> {
        match self {
            Self::TryAgain { context } | Self::Internal { context } => Some(context.clone()),
            // A field that nobody knows may be named after a secret: it is counted, not named.
            Self::InvalidInput(errors) => {
                let (unknown, known): (Vec<_>, Vec<_>) = errors.iter().partition(|error| error.is_unknown());
                let mut words: Vec<_> =
                    known.iter().map(|error| format!("{}:{}", error.field, error.refusal.code)).collect();
                if !unknown.is_empty() {
                    words.push(format!("{} unknown", unknown.len()));
                }
                Some(words.join(" "))
            }
            _ => None,
        }
    }

    /// The problem document.
    #[must_use]
    pub fn document(&self, language: Language, request_id: &str) -> Value {
        let Text { slug, status, title, detail } = self.text();
        let mut document = json!({
            "type": format!("/problems/{slug}"),
            "title": language.choose(title[0], title[1]),
            "status": status.as_u16(),
            "detail": language.choose(detail[0], detail[1]),
            "request_id": request_id,
        });
        match self {
            Self::InvalidInput(errors) => {
                let error = |e: &FieldError| {
                    json!({
                        "field": e.field, "code": e.refusal.code, "message": language.choose(&e.refusal.fr, &e.refusal.en),
                    })
                };
                document["errors"] = errors.iter().map(error).collect();
            }
            Self::AlreadyManaged { civility, last_name } => {
                document["manager"] = json!({"civility": civility, "last_name": last_name});
            }
            _ => {}
        }
        document
    }

    fn text(&self) -> Text {
        let (slug, status, title, detail) = match self {
            Self::MalformedRequest => (
                "malformed-request",
                StatusCode::BAD_REQUEST,
                ["Requête illisible", "Malformed request"],
                ["Le corps de la requête doit être un objet JSON.", "The body has to be a JSON object."],
            ),
            Self::BadCursor => (
                "bad-cursor",
                StatusCode::BAD_REQUEST,
                ["Curseur non valable", "Bad cursor"],
                [
                    "Reprenez la liste depuis sa première page, avec les mêmes filtres à chaque page.",
                    "Start again at the first page, and keep the filters the same from page to page.",
                ],
            ),
            Self::AuthenticationRequired => (
                "authentication-required",
                StatusCode::UNAUTHORIZED,
                ["Connexion requise", "Authentication required"],
                ["Connectez-vous, ou renouvelez votre session.", "Sign in, or refresh the session."],
            ),
            Self::BadCredentials => (
                "bad-credentials",
                StatusCode::UNAUTHORIZED,
                ["Identifiant ou mot de passe incorrect", "Wrong e-mail or password"],
                [
                    "Vérifiez l’adresse et le mot de passe. Si vous l’avez oublié, demandez-en un nouveau.",
                    "Check the address and the password. If it is forgotten, ask for a new one.",
                ],
            ),
            Self::BadCurrentPassword => (
                "bad-current-password",
                StatusCode::FORBIDDEN,
                ["Mot de passe actuel incorrect", "Wrong current password"],
                ["Ressaisissez votre mot de passe actuel.", "Type your current password again."],
            ),
            Self::CharterRequired => (
                "charter-required",
                StatusCode::FORBIDDEN,
                ["Charte à accepter", "Charter to accept"],
                [
                    "Lisez et acceptez la charte en vigueur pour ouvrir le compte adhérent.",
                    "Read and accept the current charter to open the member account.",
                ],
            ),
            Self::ManagerOnly => (
                "manager-only",
                StatusCode::FORBIDDEN,
                ["Réservé au gestionnaire", "For the manager only"],
                ["Adressez-vous au gestionnaire du compte adhérent.", "Ask the manager of the member account."],
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                ["Introuvable", "Not found"],
                ["Ceci n’existe pas, ou ne vous est pas accessible.", "This does not exist, or is not yours to see."],
            ),
            Self::ClaimRefused => (
                "claim-refused",
                StatusCode::NOT_FOUND,
                ["Numéro adhérent non reconnu", "Member number not recognised"],
                [
                    "Vérifiez le numéro sur un avis de virement, et le SIRET de votre profil.",
                    "Check the number on a remittance notice, and the SIRET of your profile.",
                ],
            ),
            Self::DocumentOutdated => (
                "document-outdated",
                StatusCode::CONFLICT,
                ["Version dépassée", "Document outdated"],
                [
                    "Ce texte a changé : lisez la version en vigueur, puis acceptez-la.",
                    "This text has changed: read the current version, then accept that.",
                ],
            ),
            Self::AlreadyManaged { .. } => (
                "already-managed",
                StatusCode::CONFLICT,
                ["Le compte a déjà un gestionnaire", "The account has a manager"],
                ["Demandez-lui l’accès au compte adhérent.", "Ask them for access to the member account."],
            ),
            Self::NoManager => (
                "no-manager",
                StatusCode::CONFLICT,
                ["Aucun gestionnaire", "No manager"],
                [
                    "Votre établissement n’a pas de gestionnaire à qui demander l’accès : si Constructys le connaît, vous pouvez le devenir.",
                    "Your establishment has no manager to ask for access: if the fund knows it, you may become it.",
                ],
            ),
            Self::ClaimContested => (
                "claim-contested",
                StatusCode::CONFLICT,
                ["Rôle de gestionnaire contesté", "Manager contested"],
                [
                    "Les services de Constructys vérifient qui gère ce compte ; jusque-là, le rôle de gestionnaire et les accès restent ce qu’ils sont. La lecture reste possible.",
                    "The fund's staff are checking who manages this account; until then the manager's role and access to it stay as they are. Reading goes on.",
                ],
            ),
            Self::ClaimBarred => (
                "claim-barred",
                StatusCode::FORBIDDEN,
                ["Rôle retiré par Constructys", "Role withdrawn by the fund"],
                [
                    "Les services de Constructys vous ont retiré la gestion de ce compte : adressez-vous à eux pour la reprendre.",
                    "The fund's staff withdrew the management of this account from you: ask them if you are to have it again.",
                ],
            ),
            Self::AccountNotActivated => (
                "account-not-activated",
                StatusCode::CONFLICT,
                ["Compte adhérent non activé", "Member account not activated"],
                ["Son gestionnaire n’a pas encore choisi de l’utiliser.", "Its manager has not chosen to use it yet."],
            ),
            Self::ExportTooLarge => (
                "export-too-large",
                StatusCode::CONFLICT,
                ["Export trop volumineux", "Export too large"],
                [
                    "Demandez le fichier (`POST …/exports`) : il sera préparé, puis téléchargeable ; ou un seul exercice à la fois (`?view=2011`).",
                    "Ask for the file (`POST …/exports`): it will be prepared, then downloaded; or for one view at a time (`?view=2011`).",
                ],
            ),
            Self::StatementTooLarge => (
                "statement-too-large",
                StatusCode::CONFLICT,
                ["Relevé trop long", "Statement too long"],
                [
                    "Cet exercice compte plus de lignes qu’un relevé n’en porte : demandez ses écritures avec \
                     `ledger.csv?view=2011` ou `ledger.xlsx?view=2011`.",
                    "This view has more rows than a statement carries: ask for its entries with \
                     `ledger.csv?view=2011` or `ledger.xlsx?view=2011`.",
                ],
            ),
            Self::AnswerTooLarge => (
                "answer-too-large",
                StatusCode::CONFLICT,
                ["Réponse trop longue", "Answer too large"],
                [
                    "Ceci dépasse ce qu’une réponse peut porter. Mettez fin aux sessions dont vous ne vous servez plus.",
                    "This is more than an answer can carry. End the sessions that you do not use any more.",
                ],
            ),
            Self::ManagerMustHandOver => (
                "manager-must-hand-over",
                StatusCode::CONFLICT,
                ["Rôle de gestionnaire à transmettre", "Manager must hand over"],
                [
                    "Transmettez d’abord le rôle de gestionnaire à un collègue qui a accès au compte.",
                    "Hand the manager's role over first, to a colleague who has access to the account.",
                ],
            ),
            Self::LinkInvalid(link) => (
                "link-invalid",
                StatusCode::GONE,
                ["Lien non valable", "Link not valid"],
                // What is to be done differs by what the link was for.
                link.detail(),
            ),
            Self::BodyTooLarge => (
                "body-too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                ["Requête trop longue", "Body too large"],
                ["Le corps de la requête dépasse 64 Kio.", "The body is above 64 KiB."],
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ["Type de contenu non pris en charge", "Unsupported media type"],
                [
                    "Envoyez du JSON en UTF-8, avec l’en-tête `Content-Type: application/json`.",
                    "Send JSON in UTF-8, with the header `Content-Type: application/json`.",
                ],
            ),
            Self::MisdirectedRequest => (
                "misdirected-request",
                StatusCode::MISDIRECTED_REQUEST,
                ["Adresse directe fermée", "Misdirected request"],
                [
                    "Cette adresse ne répond pas directement : passez par celle du portail.",
                    "This address does not answer by itself: use the portal's own.",
                ],
            ),
            Self::InvalidInput(_) => (
                "invalid-input",
                StatusCode::UNPROCESSABLE_ENTITY,
                ["Saisie à corriger", "Invalid input"],
                ["Corrigez les champs signalés, puis renvoyez.", "Correct the fields named, then send again."],
            ),
            Self::IdempotencyKeyReused => (
                "idempotency-key-reused",
                StatusCode::UNPROCESSABLE_ENTITY,
                ["Clé d’idempotence déjà employée", "Idempotency key reused"],
                [
                    "Cette clé accompagnait une autre demande : employez-en une nouvelle pour chaque demande.",
                    "This key came with another request: use a new one for each request.",
                ],
            ),
            Self::RequestInFlight => (
                "request-in-flight",
                StatusCode::CONFLICT,
                ["Demande en cours", "Request in flight"],
                [
                    "La première demande avec cette clé est en cours : réessayez dans un instant avec la même clé.",
                    "The first request with this key is not done yet: try again in a moment, with the same key.",
                ],
            ),
            Self::TooManyAttempts { .. } => (
                "too-many-attempts",
                StatusCode::TOO_MANY_REQUESTS,
                ["Trop d’essais", "Too many attempts"],
                ["Patientez avant de réessayer.", "Wait before trying again."],
            ),
            Self::TryAgain { .. } => (
                "try-again",
                StatusCode::SERVICE_UNAVAILABLE,
                ["Momentanément indisponible", "Temporarily unavailable"],
                ["Réessayez dans un instant ; rien n’est à ressaisir.", "Try again in a moment; it is safe to repeat."],
            ),
            Self::Internal { .. } => (
                "internal-error",
                StatusCode::INTERNAL_SERVER_ERROR,
                ["Erreur interne", "Internal error"],
                [
                    "L’erreur est enregistrée ; donnez request_id à l’assistance.",
                    "The error is recorded; give request_id to the help desk.",
                ],
            ),
        };
        Text { slug, status, title, detail }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let context = with_sources("store", &error);
        match error {
            StoreError::Unavailable { .. } | StoreError::Contention => Self::TryAgain { context },
            StoreError::Refused { .. } | StoreError::Inconsistent { .. } => Self::Internal { context },
        }
    }
}
