//! What a member reads for the ledger's words: the one place of their French.

use super::{ActionStatus, CostKind, EntryKind, Payee, Scheme};

impl Scheme {
    /// The French name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Pdc => "Plan de développement des compétences",
            Self::Apprenticeship => "Apprentissage",
            Self::Professionalisation => "Contrat de professionnalisation",
            Self::ProA => "Pro-A",
            Self::Cpf => "CPF",
            Self::Vae => "VAE",
            Self::Assessment => "Bilan de compétences",
            Self::Poe => "POE",
            Self::Plan => "Plan de formation",
            Self::Dif => "DIF",
        }
    }
}

impl ActionStatus {
    /// The French name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Submitted => "déposé",
            Self::Incomplete => "incomplet",
            Self::UnderReview => "en instruction",
            Self::Committed => "engagé",
            Self::Refused => "refusé",
            Self::Delivered => "réalisé",
            Self::Invoiced => "facturé",
            Self::PaymentInProgress => "en paiement",
            Self::PartlyPaid => "réglé partiellement",
            Self::Paid => "réglé",
            Self::Closed => "soldé",
            Self::Cancelled => "annulé",
        }
    }
}

impl EntryKind {
    /// The French name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Commitment => "Engagement",
            Self::CommitmentRevision => "Révision d’engagement",
            Self::CommitmentCancellation => "Annulation d’engagement",
            Self::InvoiceReceived => "Facture reçue",
            Self::InvoiceRejected => "Facture rejetée",
            Self::PaymentToCompany => "Règlement à l’entreprise",
            Self::PaymentToProvider => "Règlement à l’organisme de formation",
            Self::PaymentReturned => "Règlement retourné",
            Self::Recovery => "Reprise",
            Self::ContributionLegal => "Contribution légale",
            Self::ContributionAgreement => "Contribution conventionnelle",
            Self::ContributionVoluntary => "Versement volontaire",
            Self::ContributionRefund => "Remboursement de contribution",
            Self::Reversal => "Contre-passation",
        }
    }
}

impl CostKind {
    /// The French name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tuition => "Coût pédagogique",
            Self::Wages => "Rémunération",
            Self::Expenses => "Frais annexes",
        }
    }
}

impl Payee {
    /// The French name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Company => "Entreprise",
            Self::Provider => "Organisme de formation",
        }
    }
}
