//! What a receipt tells of a text, beside the evidence: its title.

use portal::store::{Receipt, StoreError, document_version};

use crate::Function;
use crate::mails::AcceptedText;

/// An accepted text with its title.
pub(crate) struct Accepted {
    title: String,
    receipt: Receipt,
}

impl Accepted {
    /// As a mail tells it.
    pub(crate) fn told(&self) -> AcceptedText<'_> {
        AcceptedText { title: &self.title, receipt: &self.receipt }
    }
}

impl Function {
    /// Looks up the title of what was accepted.
    pub(crate) async fn accepted(&self, receipt: Receipt) -> Result<Accepted, StoreError> {
        let document = document_version(&self.store, receipt.document, receipt.version).await?;
        // A version is never taken away; if it were, its receipt would still be owed.
        let title = document.map_or_else(|| receipt.document.to_string(), |document| document.title.clone());
        Ok(Accepted { title, receipt })
    }
}
