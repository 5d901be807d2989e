//! `POST /api/password/decline`: whoever reads the mail of a sign-up says that it is not theirs.

use portal::http::{Answer, Call, MailedLink, Problem};
use portal::store::{Condition, MailHistory, Outcome, Purpose, Record as _, Transaction};
use rand::CryptoRng;

use crate::{Function, token, unused};

impl Function {
    /// Ends the link, and with it the draft. The mails of late to the address are forgotten as well: whoever reads
    /// them has answered, and a stranger's sign-ups shall not use up those of the owner. A repeat finds no link, as
    /// after any use.
    pub(crate) async fn decline(&self, call: &Call, rng: &mut impl CryptoRng) -> Result<Answer, Problem> {
        let link = self.usable_link(&token(call)?, call.now).await?;
        if link.purpose != Purpose::Activation {
            return Err(Problem::LinkInvalid(MailedLink::Password));
        }
        let mut transaction = Transaction::new();
        transaction.delete(link.key(), Some(unused(call.now)?));
        // A newer sign-up of the same moment has replaced this link by one of its own.
        let newest = vec![Condition::Absent, Condition::is("newest_link", &link.hash)?];
        transaction.delete(MailHistory::key_of(&link.email, link.purpose), Some(Condition::Any(newest)));
        match self.store.commit(&transaction, rng).await? {
            Outcome::Committed => Ok(Answer::no_content()),
            Outcome::Refused(_) => Err(Problem::LinkInvalid(MailedLink::Password)),
        }
    }
}
