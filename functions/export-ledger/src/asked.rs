//! `POST /api/accounts/{number}/exports` and `GET …/exports/{id}`.
//!
//! What was asked for is an item, whose arrival in the table's stream starts `write-export`. The link is made when
//! it is polled for, by somebody who may read the account in that moment; it lives for minutes, and whoever lost
//! their access gets none.

use std::time::Duration;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use futures::future::{OptionFuture, join};
use jiff::Timestamp;
use ledger_lists::Listing;
use portal::domain::{Id, MemberNumber, Refusal};
use portal::http::{Answer, Call, Form, Problem};
use portal::security::FileLinks;
use portal::store::{
    Batch, Condition, Export, ExportFormat, ExportState, ExportedList, ExportsUnderWay, Facets, Outcome, Record as _,
    Transaction,
};
use rand::CryptoRng;
use serde::Serialize;
use serde_json::json;

use crate::Function;
use crate::linked::unknown_file;
use crate::listed::ExportBody;

/// When it is worth asking again where too many are under way: most files are ready by then.
const SOON: Duration = Duration::from_secs(60);

/// How many others may ask for exports of the same account, or be done with them, while one does.
const MOST_ATTEMPTS: usize = 10;

#[derive(Serialize)]
struct PolledBody {
    #[serde(flatten)]
    export: ExportBody,
    #[serde(flatten)]
    link: Option<LinkBody>,
}

#[derive(Serialize)]
struct LinkBody {
    url: String,
    expires_at: Timestamp,
}

impl Function {
    pub(crate) async fn ask(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // Read early, as it says what else to fetch; reported in its turn.
        let asked = call.form().and_then(|form| asked(form, call.now));
        let is_of_meant_view = asked.as_ref().is_ok_and(|(listing, _)| listing.is_of_meant_view());
        let under_way = batch.want::<ExportsUnderWay>(ExportsUnderWay::key_of(&visit.number));
        let all = Facets::all(&visit.number);
        let facets = OptionFuture::from(is_of_meant_view.then(|| self.store.query_all::<Facets>(&all)));
        let (fetched, facets) = join(self.store.fetch(batch), facets).await;
        let mut fetched = fetched?;
        let door = visit.enter(&self.store, &mut fetched, call, rng).await?;
        let (mut listing, format) = asked?;
        let door = door.activated()?;
        // Which view is meant is settled now: the file is of what was seen by who asked.
        if let Some(facets) = facets.transpose()? {
            listing = listing.of_meant_view(&facets, self.rule, call.now);
        }

        let user = &door.caller.user;
        let parameters = listing.parameters().into_iter().filter(|(name, _)| *name != "view");
        let export = Export {
            export_id: Id::random(rng),
            user_id: user.user_id,
            member_number: visit.number.clone(),
            list: listing.list(),
            view: listing.view(),
            filter: parameters.map(|(name, value)| (name.to_owned(), value)).collect(),
            format,
            requested_at: call.now,
            written: ExportState::Preparing,
            attempts: 0,
            size: None,
            ttl: (call.now + Export::KEPT).as_second(),
        };
        let mut known = fetched.take(&under_way)?;
        for _ in 0..MOST_ATTEMPTS {
            let mut under_way = known.take().unwrap_or_else(|| ExportsUnderWay::none(visit.number.clone()));
            let begun = under_way.begin(export.export_id, call.now);
            begun.map_err(|at_most| Problem::closed_for(at_most.min(SOON)))?;
            let mut transaction = Transaction::new();
            transaction.create(&export)?;
            under_way.write(call.now, &mut transaction)?;
            // What is erased leaves nothing behind.
            let same_user = transaction.check(user.key(), Condition::is("epoch", &user.epoch)?);
            match self.store.commit(&transaction, rng).await? {
                Outcome::Committed => return Answer::accepted(&json!({"id": export.export_id})),
                Outcome::Refused(refused) if refused.failed(same_user) => return Err(Problem::AuthenticationRequired),
                Outcome::Refused(_) => known = self.under_way(&visit.number).await?,
            }
        }
        Err(Problem::TryAgain { context: "the account's exports change all the time".to_owned() })
    }

    async fn under_way(&self, number: &MemberNumber) -> Result<Option<ExportsUnderWay>, Problem> {
        let mut batch = Batch::new();
        let wanted = batch.want::<ExportsUnderWay>(ExportsUnderWay::key_of(number));
        Ok(self.store.fetch(batch).await?.take(&wanted)?)
    }

    pub(crate) async fn poll(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        // Under the caller: an export of somebody else is not found.
        let wanted =
            Id::parse(call.path("id")).map(|id| batch.want::<Export>(Export::key_of(visit.session.user_id, id)));
        let mut fetched = self.store.fetch(batch).await?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await?;
        let export = match wanted {
            Some(wanted) => fetched.take(&wanted)?,
            None => None,
        };
        let export = export.filter(|export| export.member_number == visit.number);
        let found = export.and_then(|export| Some((ExportBody::of(&export, call.now)?, export)));
        let (body, export) = found.ok_or(Problem::NotFound)?;
        guest.open(&self.store, call, rng).await?.activated()?;
        let link = if body.is_ready() { Some(self.link_to(&export, call.now).await?) } else { None };
        Answer::ok(&PolledBody { export: body, link })
    }

    /// A link that gives the file to whoever has it, under its name.
    async fn link_to(&self, export: &Export, now: Timestamp) -> Result<LinkBody, Problem> {
        let listing = Listing::of_texts(export.list, export.parameters(), export.requested_at)?;
        let name = listing.file_name(&export.member_number, export.format);
        let lives = PresigningConfig::expires_in(FileLinks::LIVES)
            .map_err(|error| Problem::internal("the life of a link", &error))?;
        let request = self.s3.get_object().bucket(&self.bucket).key(export.object_key());
        let request = request
            .response_content_type(export.format.content_type())
            .response_content_disposition(format!("attachment; filename=\"{name}\""))
            .response_cache_control("no-store");
        let signed = request
            .presigned(lives)
            .await
            .map_err(|error| Problem::Internal { context: format!("a link: {}", DisplayErrorContext(error)) })?;
        Ok(LinkBody { url: signed.uri().to_owned(), expires_at: now + FileLinks::LIVES })
    }
}

/// What an export is asked to have. Of which list it is decides which fields there are: where that is wrong, it alone is
/// told.
fn asked(mut form: Form, now: Timestamp) -> Result<(Listing, ExportFormat), Problem> {
    let list = form.optional("file", |text| ExportedList::parse(text).ok_or_else(unknown_file));
    let Some(list) = list else { return Err(form.refused()) };
    let format = format(&mut form);
    let listing = Listing::read(list.unwrap_or_default(), &mut form, now);
    form.finish((listing, format))
}

/// What a file is written as.
pub(crate) fn format(form: &mut Form) -> Option<ExportFormat> {
    form.text("format", |text| {
        ExportFormat::parse(text)
            .ok_or_else(|| Refusal::new("bad-format", "Choisissez « csv » ou « xlsx ».", "Choose `csv` or `xlsx`."))
    })
}
