//! HTTP: from a request to a caller and a form, from a result to an answer or a problem document.

mod answer;
mod call;
mod edge;
mod event;
mod field;
mod figures;
mod form;
mod headers;
mod html_page;
mod idempotency;
mod instant;
mod json;
mod language;
mod line;
mod problem;
mod serve;

pub use answer::{Answer, FileContent};
pub use call::Call;
pub use edge::Edge;
pub(crate) use event::read_request;
pub use figures::{ActionFigures, PaidBody, TotalsBody};
pub use form::Form;
pub use html_page::HtmlPage;
pub use idempotency::{FirstAnswer, Idempotency};
pub use instant::before_the_first_booking;
pub use language::Language;
pub use problem::{FieldError, MailedLink, Problem};
pub use serve::serve;
