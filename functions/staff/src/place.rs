//! Which establishment an operation is about: named by its SIRET or by its member number.

use portal::domain::{MemberNumber, Siret};
use portal::store::{Account, ClaimOf, Establishment, Manager};
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

impl Place {
    /// Who sits there, and since when.
    pub(crate) fn claim(&self) -> Result<(ClaimOf, &Manager), Refused> {
        let manager = self.seat.manager.as_ref().ok_or_else(|| {
            Refused::new("no-manager", "establishment", "Nobody manages this account: there is nothing to release.")
        })?;
        let claim = ClaimOf {
            siret: self.seat.siret.clone(),
            member_number: self.seat.member_number.clone(),
            since: manager.since,
        };
        Ok((claim, manager))
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
