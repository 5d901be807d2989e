//! The history of an action: what the fund said of it, and when.

use jiff::Timestamp;
use jiff::civil::Date;
use portal::domain::{ActionStatus, Identifier, Scheme, View};
use portal::store::{ActionChange, ActionState, ActionVersion};
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct VersionBody {
    change: ActionChange,
    booked_at: Timestamp,
    /// Nothing where the account had the action no more.
    #[serde(flatten)]
    described: Option<DescribedBody>,
    /// The description that it replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced: Option<DescribedBody>,
    source: Identifier,
    source_key: Identifier,
    source_version: u64,
    batch_id: Identifier,
}

/// An action as the fund described it.
#[derive(Serialize)]
struct DescribedBody {
    title: String,
    scheme: Scheme,
    status: ActionStatus,
    view: View,
    engagement_date: Date,
}

impl From<ActionVersion> for VersionBody {
    fn from(version: ActionVersion) -> Self {
        Self {
            change: version.change,
            booked_at: version.booked_at,
            described: version.state.map(Into::into),
            replaced: version.replaced.map(Into::into),
            source: version.source,
            source_key: version.source_key,
            source_version: version.source_version,
            batch_id: version.batch_id,
        }
    }
}

impl From<ActionState> for DescribedBody {
    fn from(state: ActionState) -> Self {
        let ActionState { title, home, status, engagement_date, .. } = state;
        Self { title, scheme: home.scheme, status, view: home.view, engagement_date }
    }
}
