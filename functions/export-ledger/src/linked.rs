//! `POST /api/accounts/{number}/file-links`.
//!
//! A link is the address of a file with what lets one browser, which cannot send an access token with a download, in for
//! some minutes. Nothing is read for the file, but what tells that it is too large to be answered.

use futures::future::{OptionFuture, join};
use jiff::Timestamp;
use ledger_lists::{Listing, StatementFilter};
use portal::domain::Refusal;
use portal::http::{Answer, Call, Form, Problem};
use portal::security::{FileAddress, FileLinks};
use portal::store::{ExportFormat, ExportedList, Totals};
use rand::CryptoRng;
use serde_json::json;

use crate::Function;

/// What a link is asked for.
enum File {
    /// A list with its filter.
    Listing(Listing, ExportFormat),
    /// The statement.
    Statement(StatementFilter),
}

impl Function {
    pub(crate) async fn link(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, batch) = self.gate.visit(call).await?;
        // Read early, as it says what else to fetch; reported in its turn.
        let file = call.form().and_then(|form| File::read(form, call.now));
        let counted = file.as_ref().ok().and_then(File::counted).map(|listing| listing.view());
        let totals = counted.map(|view| Totals::of(&self.store, &visit.number, view));
        let (fetched, totals) = join(self.store.fetch(batch), OptionFuture::from(totals)).await;
        let door = visit.enter(&self.store, &mut fetched?, call, rng).await?;
        let file = file?;
        door.activated()?;
        let postings = totals.transpose()?.into_iter().flatten().map(|totals| totals.chain.postings);
        if postings.sum::<u64>() > self.most_rows as u64 {
            return Err(Problem::ExportTooLarge);
        }
        let address = match &file {
            File::Listing(listing, format) => {
                let name = format!("{}.{}", listing.list().as_str(), format.ending());
                FileAddress::of_account(&visit.number, &name, listing.parameters())
            }
            File::Statement(filter) => FileAddress::of_account(&visit.number, "statement.pdf", filter.parameters()),
        };
        // To the second, as the link says it.
        let expires_at = Timestamp::from_second((call.now + FileLinks::LIVES).as_second()).unwrap_or(call.now);
        let path = self.links.make(&visit.session, &address, expires_at);
        Answer::created(&json!({"url": format!("{}{path}", self.gate.origin()), "expires_at": expires_at}))
    }
}

impl File {
    fn read(mut form: Form, now: Timestamp) -> Result<Self, Problem> {
        let which = form.optional("file", |text| match (text, ExportedList::parse(text)) {
            ("statement", _) => Ok(None),
            (_, Some(list)) => Ok(Some(list)),
            (_, None) => Err(unknown_file()),
        });
        // What else there may be depends on it: where it is wrong, it alone is told.
        match which.map(|which| which.unwrap_or(Some(ExportedList::default()))) {
            None => Err(form.refused()),
            Some(None) => {
                let format = form.text("format", |text| match text {
                    "pdf" => Ok(()),
                    _ => Err(Refusal::new("bad-format", "Choisissez « pdf ».", "Choose `pdf`.")),
                });
                let filter = StatementFilter::read(&mut form, now);
                form.finish((format, filter)).map(|((), filter)| Self::Statement(filter))
            }
            Some(Some(list)) => {
                let format = crate::asked::format(&mut form);
                let listing = Listing::read(list, &mut form, now);
                form.finish((format, listing)).map(|(format, listing)| Self::Listing(listing, format))
            }
        }
    }

    /// The list whose rows are counted beforehand: a part of it is not.
    fn counted(&self) -> Option<&Listing> {
        match self {
            Self::Listing(listing @ Listing::Ledger(filter), _) if filter.is_of_all() => Some(listing),
            _ => None,
        }
    }
}

pub(crate) fn unknown_file() -> Refusal {
    Refusal::new("unknown-file", "Ce fichier n’existe pas.", "There is no such file.")
}
