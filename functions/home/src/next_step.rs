//! The next step of a user, which their home says in a sentence.

use serde::Serialize;

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NextStep {
    /// The charter is to be accepted.
    AcceptCharter,
    /// They manage an account and have not said OUI.
    AnswerActivation,
    /// Colleagues ask for access to an account that they manage.
    AnswerRequests,
    /// They may read an account.
    OpenAccount,
    /// They may read an account whose manager has not said OUI.
    AwaitActivation,
    /// They asked for access.
    AwaitAccess,
    /// Their establishment's account has no manager.
    ClaimAccount,
    /// Their establishment's account has one, who may give access.
    AskForAccess,
    /// The fund knows no open account of their establishment, or nobody may claim it now.
    ContactFund,
}

/// What decides it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The charter is to be accepted.
    pub(crate) owes_charter: bool,
    /// They manage an account that is not activated.
    pub(crate) manages_inactive: bool,
    /// Colleagues ask for access to an account that they manage.
    pub(crate) is_asked: bool,
    /// They have access to an account that is activated, or are invited to one.
    pub(crate) reads_active: bool,
    /// They have access to any account, or are invited to one.
    pub(crate) has_access: bool,
    /// They asked for access.
    pub(crate) has_asked: bool,
    /// They may try to become manager.
    pub(crate) can_claim: bool,
    /// There is a manager whom they may ask.
    pub(crate) can_ask: bool,
}

impl NextStep {
    /// Returns the first step that the others wait for.
    pub(crate) fn of(standing: Standing) -> Self {
        match standing {
            Standing { owes_charter: true, .. } => Self::AcceptCharter,
            Standing { manages_inactive: true, .. } => Self::AnswerActivation,
            Standing { is_asked: true, .. } => Self::AnswerRequests,
            Standing { reads_active: true, .. } => Self::OpenAccount,
            Standing { has_access: true, .. } => Self::AwaitActivation,
            Standing { has_asked: true, .. } => Self::AwaitAccess,
            Standing { can_claim: true, .. } => Self::ClaimAccount,
            Standing { can_ask: true, .. } => Self::AskForAccess,
            _ => Self::ContactFund,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_waits_for_those_before_it() {
        let mut standing = Standing {
            owes_charter: true,
            manages_inactive: true,
            is_asked: true,
            reads_active: true,
            has_access: true,
            has_asked: true,
            can_claim: true,
            can_ask: true,
        };
        let mut steps = Vec::new();
        let take_away: [fn(&mut Standing) -> &mut bool; 8] = [
            |standing| &mut standing.owes_charter,
            |standing| &mut standing.manages_inactive,
            |standing| &mut standing.is_asked,
            |standing| &mut standing.reads_active,
            |standing| &mut standing.has_access,
            |standing| &mut standing.has_asked,
            |standing| &mut standing.can_claim,
            |standing| &mut standing.can_ask,
        ];
        for field in take_away {
            steps.push(NextStep::of(standing));
            *field(&mut standing) = false;
        }
        steps.push(NextStep::of(standing));
        use NextStep::{
            AcceptCharter, AnswerActivation, AnswerRequests, AskForAccess, AwaitAccess, AwaitActivation, ClaimAccount,
            ContactFund, OpenAccount,
        };
        let expected = [
            AcceptCharter,
            AnswerActivation,
            AnswerRequests,
            OpenAccount,
            AwaitActivation,
            AwaitAccess,
            ClaimAccount,
            AskForAccess,
            ContactFund,
        ];
        assert_eq!(steps, expected);
    }
}
