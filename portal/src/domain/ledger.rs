//! The ledger's vocabulary, and what each kind of entry does to the totals.

use serde::{Deserialize, Serialize};

use super::Cents;

/// Declares an enum whose variants have one name in the feed, in keys and in the API.
macro_rules! named {
    ($(#[$outer:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$inner])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name in the feed, in keys and in the API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads a name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
            }
        }
    };
}

named! {
    /// What kind of accounting fact an entry is.
    EntryKind {
        /// Money promised for an action.
        Commitment = "COMMITMENT",
        /// A change of the promise, up or down: the only kind whose amount may be negative.
        CommitmentRevision = "COMMITMENT_REVISION",
        /// The promise taken back.
        CommitmentCancellation = "COMMITMENT_CANCELLATION",
        /// An invoice came in.
        InvoiceReceived = "INVOICE_RECEIVED",
        /// An invoice was refused.
        InvoiceRejected = "INVOICE_REJECTED",
        /// Paid to the member company.
        PaymentToCompany = "PAYMENT_TO_COMPANY",
        /// Paid to the training body.
        PaymentToProvider = "PAYMENT_TO_PROVIDER",
        /// A payment that came back from the bank.
        PaymentReturned = "PAYMENT_RETURNED",
        /// Money that the fund took back.
        Recovery = "RECOVERY",
        /// The contribution that the law demands.
        ContributionLegal = "CONTRIBUTION_LEGAL",
        /// The contribution that the branch agreement demands.
        ContributionAgreement = "CONTRIBUTION_AGREEMENT",
        /// A voluntary contribution.
        ContributionVoluntary = "CONTRIBUTION_VOLUNTARY",
        /// A contribution given back.
        ContributionRefund = "CONTRIBUTION_REFUND",
        /// The mirror of an entry that was wrong; made by the import, never sent by the feed.
        Reversal = "REVERSAL",
    }
}

named! {
    /// The state of a training action.
    ActionStatus {
        /// déposé
        Submitted = "SUBMITTED",
        /// incomplet
        Incomplete = "INCOMPLETE",
        /// en instruction
        UnderReview = "UNDER_REVIEW",
        /// engagé
        Committed = "COMMITTED",
        /// refusé
        Refused = "REFUSED",
        /// réalisé
        Delivered = "DELIVERED",
        /// facturé
        Invoiced = "INVOICED",
        /// en paiement
        PaymentInProgress = "PAYMENT_IN_PROGRESS",
        /// réglé partiellement
        PartlyPaid = "PARTLY_PAID",
        /// réglé
        Paid = "PAID",
        /// soldé
        Closed = "CLOSED",
        /// annulé
        Cancelled = "CANCELLED",
    }
}

named! {
    /// The scheme (*dispositif*) that funds an action.
    Scheme {
        /// plan de développement des compétences
        Pdc = "PDC",
        /// apprentissage
        Apprenticeship = "APPRENTICESHIP",
        /// contrat de professionnalisation
        Professionalisation = "PROFESSIONALISATION",
        /// reconversion ou promotion par alternance
        ProA = "PRO_A",
        /// compte personnel de formation
        Cpf = "CPF",
        /// validation des acquis de l'expérience
        Vae = "VAE",
        /// bilan de compétences
        Assessment = "ASSESSMENT",
        /// préparation opérationnelle à l'emploi
        Poe = "POE",
        /// plan de formation, before 2019
        Plan = "PLAN",
        /// droit individuel à la formation
        Dif = "DIF",
    }
}

named! {
    /// What the money is for.
    CostKind {
        /// coût pédagogique
        Tuition = "TUITION",
        /// rémunération
        Wages = "WAGES",
        /// frais annexes
        Expenses = "EXPENSES",
    }
}

named! {
    /// Who gets the money.
    Payee {
        /// the member company
        Company = "COMPANY",
        /// the training body
        Provider = "PROVIDER",
    }
}

/// What was paid, told apart by who received it. The sum of both is never kept, so it cannot differ from them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "[Cents; 2]", into = "[Cents; 2]")]
pub struct Paid {
    /// To the member company.
    pub to_company: Cents,
    /// To training bodies.
    pub to_providers: Cents,
}

impl Paid {
    /// Nothing.
    pub const ZERO: Self = Self { to_company: Cents::ZERO, to_providers: Cents::ZERO };

    /// An amount on one side.
    #[must_use]
    pub fn to(payee: Payee, amount: Cents) -> Self {
        match payee {
            Payee::Company => Self { to_company: amount, ..Self::ZERO },
            Payee::Provider => Self { to_providers: amount, ..Self::ZERO },
        }
    }

    /// Both sides together.
    #[must_use]
    pub fn total(self) -> Cents {
        self.to_company + self.to_providers
    }
}

impl std::ops::Add for Paid {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { to_company: self.to_company + other.to_company, to_providers: self.to_providers + other.to_providers }
    }
}

impl std::ops::AddAssign for Paid {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::ops::Neg for Paid {
    type Output = Self;

    fn neg(self) -> Self {
        Self { to_company: -self.to_company, to_providers: -self.to_providers }
    }
}

impl std::ops::Sub for Paid {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl std::iter::Sum for Paid {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, std::ops::Add::add)
    }
}

impl From<[Cents; 2]> for Paid {
    fn from([to_company, to_providers]: [Cents; 2]) -> Self {
        Self { to_company, to_providers }
    }
}

impl From<Paid> for [Cents; 2] {
    fn from(paid: Paid) -> Self {
        [paid.to_company, paid.to_providers]
    }
}

/// What an entry adds to each measure. The three measures are never mixed into one balance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effect {
    /// To what is committed.
    pub committed: Cents,
    /// To what is paid.
    pub paid: Paid,
    /// To the signed sum behind "in progress": received - rejected - payments + returned.
    pub in_progress: Cents,
    /// To what was taken back, which is taken from what is paid and is a figure of its own.
    pub recovered: Cents,
    /// To what is contributed.
    pub contributed: Cents,
}

impl Effect {
    /// The effect of the entry that reverses one with this effect.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self {
            committed: -self.committed,
            paid: -self.paid,
            in_progress: -self.in_progress,
            recovered: -self.recovered,
            contributed: -self.contributed,
        }
    }
}

impl ActionStatus {
    /// Whether the fund pays nothing more for an action in this state, whatever it once promised.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Closed | Self::Refused | Self::Cancelled)
    }
}

impl EntryKind {
    /// Whether entries of this kind are contributions, which belong to a year and to no action.
    #[must_use]
    pub fn is_contribution(self) -> bool {
        matches!(
            self,
            Self::ContributionLegal
                | Self::ContributionAgreement
                | Self::ContributionVoluntary
                | Self::ContributionRefund
        )
    }

    /// Whether entries of this kind are lines of a transfer: what moves what is paid for an action.
    #[must_use]
    pub fn is_transferred(self) -> bool {
        self.paid_to().is_some() || self.comes_back()
    }

    /// Who a payment of this kind goes to; nobody where the kind does not say it.
    #[must_use]
    pub fn paid_to(self) -> Option<Payee> {
        match self {
            Self::PaymentToCompany => Some(Payee::Company),
            Self::PaymentToProvider => Some(Payee::Provider),
            _ => None,
        }
    }

    /// Whether entries of this kind take back what was paid. The kind does not say from whom.
    #[must_use]
    pub fn comes_back(self) -> bool {
        matches!(self, Self::PaymentReturned | Self::Recovery)
    }

    /// What an amount of this kind does to the totals; the kind gives the sign. `side` is whom it was paid to or comes
    /// back from, and says nothing against a kind that names it: [`Self::paid_to`].
    ///
    /// A reversal has no effect of its own kind: it mirrors the entry that it reverses, see
    /// [`Effect::mirrored`].
    #[must_use]
    pub fn effect(self, amount: Cents, side: Payee) -> Option<Effect> {
        let none = Effect::default();
        let paid = |amount| Paid::to(self.paid_to().unwrap_or(side), amount);
        Some(match self {
            Self::Commitment | Self::CommitmentRevision => Effect { committed: amount, ..none },
            Self::CommitmentCancellation => Effect { committed: -amount, ..none },
            Self::InvoiceReceived => Effect { in_progress: amount, ..none },
            Self::InvoiceRejected => Effect { in_progress: -amount, ..none },
            Self::PaymentToCompany | Self::PaymentToProvider => {
                Effect { paid: paid(amount), in_progress: -amount, ..none }
            }
            Self::PaymentReturned => Effect { paid: paid(-amount), in_progress: amount, ..none },
            Self::Recovery => Effect { paid: paid(-amount), recovered: amount, ..none },
            Self::ContributionLegal | Self::ContributionAgreement | Self::ContributionVoluntary => {
                Effect { contributed: amount, ..none }
            }
            Self::ContributionRefund => Effect { contributed: -amount, ..none },
            Self::Reversal => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_moves_its_measures_and_no_other() {
        let measures = |effect: Effect| {
            let Paid { to_company, to_providers } = effect.paid;
            let Effect { committed, in_progress, recovered, contributed, .. } = effect;
            [committed.0, to_company.0, to_providers.0, in_progress.0, recovered.0, contributed.0]
        };
        let effect = |kind: EntryKind, side| kind.effect(Cents(100), side).map(measures);
        let expected: [(&str, Option<[i64; 6]>); 14] = [
            ("COMMITMENT", Some([100, 0, 0, 0, 0, 0])),
            ("COMMITMENT_REVISION", Some([100, 0, 0, 0, 0, 0])),
            ("COMMITMENT_CANCELLATION", Some([-100, 0, 0, 0, 0, 0])),
            ("INVOICE_RECEIVED", Some([0, 0, 0, 100, 0, 0])),
            ("INVOICE_REJECTED", Some([0, 0, 0, -100, 0, 0])),
            ("PAYMENT_TO_COMPANY", Some([0, 100, 0, -100, 0, 0])),
            ("PAYMENT_TO_PROVIDER", Some([0, 0, 100, -100, 0, 0])),
            ("PAYMENT_RETURNED", Some([0, -100, 0, 100, 0, 0])),
            ("RECOVERY", Some([0, -100, 0, 0, 100, 0])),
            ("CONTRIBUTION_LEGAL", Some([0, 0, 0, 0, 0, 100])),
            ("CONTRIBUTION_AGREEMENT", Some([0, 0, 0, 0, 0, 100])),
            ("CONTRIBUTION_VOLUNTARY", Some([0, 0, 0, 0, 0, 100])),
            ("CONTRIBUTION_REFUND", Some([0, 0, 0, 0, 0, -100])),
            ("REVERSAL", None),
        ];
        assert_eq!(expected.len(), EntryKind::ALL.len());
        for (name, measures) in expected {
            let kind = EntryKind::parse(name).unwrap();
            assert_eq!(effect(kind, Payee::Company), measures, "{name}");
            // Of the providers' side: what comes back of it, and nothing else.
            let of_providers = match measures {
                Some([committed, back, 0, in_progress, recovered, contributed]) if kind.comes_back() => {
                    Some([committed, 0, back, in_progress, recovered, contributed])
                }
                other => other,
            };
            assert_eq!(effect(kind, Payee::Provider), of_providers, "{name}");
        }
    }

    #[test]
    fn a_line_of_a_transfer_is_what_moves_what_is_paid() {
        for kind in EntryKind::ALL {
            let moves = kind.effect(Cents(1), Payee::Company).is_some_and(|effect| effect.paid != Paid::ZERO);
            assert_eq!(kind.is_transferred(), moves, "{kind:?}");
        }
    }

    #[test]
    fn a_mirror_undoes_its_entry() {
        for kind in EntryKind::ALL {
            let Some(effect) = kind.effect(Cents(37), Payee::Provider) else { continue };
            let back = effect.mirrored();
            assert_eq!(effect.committed + back.committed, Cents::ZERO);
            assert_eq!(effect.paid + back.paid, Paid::ZERO);
            assert_eq!(effect.in_progress + back.in_progress, Cents::ZERO);
            assert_eq!(effect.recovered + back.recovered, Cents::ZERO);
            assert_eq!(effect.contributed + back.contributed, Cents::ZERO);
        }
    }
}
