//! `POST /api/accounts/{number}/exports` and `GET …/exports/{id}`.
//!
//! What was asked for is an item, whose arrival in the table's stream starts `write-export`. The link is made when
//! it is polled for, by somebody who may read the account in that moment; it lives for minutes, and whoever lost
//! their access gets none.

use std::time::Duration;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::presigning::PresigningConfig;
use portal::domain::{Id, MemberNumber, Refusal};
use portal::http::{Answer, Call, Problem};
use portal::store::{
    Batch, Condition, Export, ExportFormat, ExportState, ExportsUnderWay, Outcome, Record as _, Transaction,
};
use rand::CryptoRng;
use serde_json::json;

use crate::Function;

/// How long a link opens the file: for a download to begin, and not to be passed on.
const LINK_LIVES: Duration = Duration::from_secs(5 * 60);

/// When it is worth asking again where too many are under way: most files are ready by then.
const SOON: Duration = Duration::from_secs(60);

/// How many others may ask for exports of the same account, or be done with them, while one does.
const MOST_ATTEMPTS: usize = 10;

impl Function {
    pub(crate) async fn ask(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let (visit, mut batch) = self.gate.visit(call).await?;
        let under_way = batch.want::<ExportsUnderWay>(ExportsUnderWay::key_of(&visit.number));
        let mut fetched = self.store.fetch(batch).await?;
        let door = visit.enter(&self.store, &mut fetched, call, rng).await?;
        let mut form = call.form()?;
        let format = form.text("format", |text| {
            ExportFormat::parse(text)
                .ok_or_else(|| Refusal::new("bad-format", "Choisissez « csv » ou « xlsx ».", "Choose `csv` or `xlsx`."))
        });
        let view = form.view("view");
        let (format, view) = form.finish((format, view))?;
        let door = door.activated()?;

        let user = &door.caller.user;
        let export = Export {
            export_id: Id::random(rng),
            user_id: user.user_id,
            member_number: visit.number.clone(),
            view,
            format,
            requested_at: call.now,
            written: ExportState::Preparing,
            attempts: 0,
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
            Id::parse(call.path("id")).map(|id| batch.want::<Export>(Export::key_of(visit.ticket.claims.sub, id)));
        let mut fetched = self.store.fetch(batch).await?;
        let guest = visit.admit(&self.store, &mut fetched, call.now).await?;
        let export = match wanted {
            Some(wanted) => fetched.take(&wanted)?,
            None => None,
        };
        let export = export.filter(|export| export.member_number == visit.number);
        let found = export.and_then(|export| Some((export.state(call.now)?, export)));
        let (state, export) = found.ok_or(Problem::NotFound)?;
        guest.open(&self.store, call, rng).await?.activated()?;
        let mut body = json!({"state": state});
        if state == ExportState::Ready {
            body["url"] = self.link(&export).await?.into();
        }
        Answer::ok(&body)
    }

    /// A link that gives the file to whoever has it, under its name.
    async fn link(&self, export: &Export) -> Result<String, Problem> {
        let name = export.format.file_name(&export.member_number, export.view);
        let lives = PresigningConfig::expires_in(LINK_LIVES)
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
        Ok(signed.uri().to_owned())
    }
}
