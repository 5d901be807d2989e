//! Which establishment an operation is about: named by its SIRET or by its member number.

use jiff::Timestamp;
use portal::domain::{Id, MemberNumber, Siret};
use portal::store::{Account, Contest, Establishment, Store};
use serde_json::{Value, json};

use crate::Function;
use crate::fields::{Fields, Refused, Trouble};

const EITHER: &str = "Give a SIRET (14 digits) or a member number (6 digits).";

/// How the staff name an establishment.
pub(crate) enum Named {
    Siret(Siret),
    Number(MemberNumber),
}

/// An account, with the establishment whose it is.
pub(crate) struct Place {
    pub(crate) account: Account,
    pub(crate) seat: Establishment,
}

impl Named {
    /// The field `establishment`: 14 digits or 6.
    pub(crate) fn read(fields: &mut Fields) -> Result<Self, Refused> {
        let text = fields.text("establishment")?;
        if let Ok(number) = MemberNumber::parse(&text) {
            return Ok(Self::Number(number));
        }
        Siret::parse(&text).map(Self::Siret).map_err(|refusal| {
            let digits = text.chars().filter(|character| character.is_numeric()).count();
            match digits {
                0 => Refused::new("no-establishment", "establishment", EITHER),
                1..=6 => Refused::new("member-number", "establishment", EITHER),
                _ => Refused::new(refusal.code, "establishment", refusal.en),
            }
        })
    }
}

/// Whose role the staff decide about.
pub(crate) struct Concerned {
    pub(crate) user_id: Id,
    /// When the account was claimed, by them or by who handed it over to them.
    pub(crate) since: Timestamp,
    pub(crate) contest: Option<Contest>,
}

impl Place {
    /// Returns whose role the staff decide about, and since when they claimed: who is contested, also where they have
    /// left; who has the role; whom one of the staff wanted released before they left.
    pub(crate) async fn concerned(&self, store: &Store, now: Timestamp) -> Result<Concerned, Trouble> {
        let seat = &self.seat;
        let contest: Option<Contest> = match &seat.contested {
            Some(contested) => store.get(&Contest::key_of(contested)).await?,
            None => None,
        };
        let wanted = seat.release.as_ref().filter(|release| release.is_open(now)).map(|release| release.user_id);
        let sits = seat.manager.as_ref().map(|manager| manager.user_id);
        let contested = contest.as_ref().map(|contest| contest.manager);
        let user_id = contested.or(sits).or(wanted).ok_or_else(|| {
            let message = "Nobody manages this account, and nobody is contested: there is nothing to release.";
            Refused::new("no-manager", "establishment", message)
        })?;
        let standing = seat.manager.as_ref().map(|manager| manager.since);
        let theirs = || seat.claims.iter().find(|claim| claim.user_id == user_id).map(|claim| claim.since);
        let since = contest.as_ref().map(|contest| contest.claim.since).or(standing).or_else(theirs);
        Ok(Concerned { user_id, since: since.unwrap_or(now), contest })
    }

    /// What identifies it in an answer.
    pub(crate) fn told(&self) -> Value {
        json!({"siret": self.seat.siret, "member_number": self.seat.member_number, "name": self.seat.name})
    }
}

impl Function {
    /// Finds it, or says that there is none.
    pub(crate) async fn place(&self, named: &Named) -> Result<Place, Trouble> {
        let (account, seat): (Option<Account>, Option<Establishment>) = match named {
            Named::Number(number) => {
                let account: Option<Account> = self.store.get(&Account::key_of(number)).await?;
                let seat = match &account {
                    Some(account) => self.store.get(&Establishment::key_of(&account.siret)).await?,
                    None => None,
                };
                (account, seat)
            }
            Named::Siret(siret) => {
                let seat: Option<Establishment> = self.store.get(&Establishment::key_of(siret)).await?;
                let account = match &seat {
                    Some(seat) => self.store.get(&Account::key_of(&seat.member_number)).await?,
                    None => None,
                };
                (account, seat)
            }
        };
        match (account, seat) {
            (Some(account), Some(seat)) if account.member_number == seat.member_number => Ok(Place { account, seat }),
            (Some(account), _) => {
                let message = format!(
                    "Account {} lost its SIRET {} to another account: look that one up by the SIRET.",
                    account.member_number, account.siret
                );
                Err(Refused::new("establishment-moved", "establishment", message).into())
            }
            _ => Err(Refused::new(
                "establishment-unknown",
                "establishment",
                "The fund's file has no such establishment: check the digits, or whether it was imported.",
            )
            .into()),
        }
    }
}

/// Somebody else, or the establishment itself, changed something between an operation's look and its write.
pub(crate) fn changed_meanwhile() -> Refused {
    Refused::new(
        "changed-meanwhile",
        "establishment",
        "Something about this establishment has just changed: look it up, and repeat if it is still right.",
    )
}
